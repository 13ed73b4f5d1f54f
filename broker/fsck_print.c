#include "broker/fsck.h"

#include "shared/text.h"

#include <inttypes.h>

static void
hex(const uint8_t *bytes, size_t size, char *text)
{
    for (size_t i = 0; i < size; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
}

static void
print_file(const struct fsck_file *file, FILE *out)
{
    char name[GENERATION_NAME_SIZE];
    generation_name(name, file->is_snapshot ? "snapshot" : "journal", file->generation);
    fprintf(out, "%-28s ", name);
    if (!file->is_good) {
        fprintf(out, "damaged\n");
    } else if (file->is_snapshot) {
        fprintf(out, "good, up to record %" PRIu64 "\n", file->first - 1);
    } else if (file->records == 0) {
        fprintf(out, "good, no records, ends at offset %" PRId64, file->end);
    } else {
        fprintf(out,
            "good, %" PRIu64 " record%s, %" PRIu64 " to %" PRIu64 ", ends at offset %" PRId64,
            file->records, text_plural(file->records), file->first, file->first + file->records - 1,
            file->end);
    }
    if (file->is_good && !file->is_snapshot) {
        if (file->torn_bytes > 0) {
            fprintf(out, ", torn: %" PRId64 " byte%s behind it %s no record", file->torn_bytes,
                text_plural((uint64_t)file->torn_bytes), file->torn_bytes == 1 ? "is" : "are");
        }
        fputc('\n', out);
    }
}

void
fsck_print(const struct fsck *fsck, FILE *out)
{
    char history[2 * HISTORY_SIZE + 1];
    hex(fsck->history, HISTORY_SIZE, history);
    if (fsck->side != NULL) {
        fprintf(out, "%s: a %s's data, history %s, position %" PRIu64 "\n", fsck->directory,
            fsck->side->kind, history, fsck->position);
    }
    for (size_t i = 0; i < fsck->count; i++) {
        print_file(&fsck->list[i], out);
    }
    if (fsck->compared_with != 0) {
        fprintf(out,
            "the newest snapshot was computed anew from snapshot %" PRIu64
            " and the journals behind it\n",
            fsck->compared_with);
    }
    if (fsck->state != NULL) {
        assert(fsck->side != NULL);
        fsck->side->print(fsck->state, out);
    }
    fprintf(out, fsck->damage.text[0] == '\0' ? "good\n" : "damaged\n");
}

static void
emit_file(const struct fsck_file *file, struct json *json)
{
    char name[GENERATION_NAME_SIZE];
    generation_name(name, file->is_snapshot ? "snapshot" : "journal", file->generation);
    json_begin(json, '{');
    json_text_member(json, "name", name);
    json_key(json, "good");
    json_bool(json, file->is_good);
    if (!file->is_good) {
        json_text_member(json, "message", file->message.text);
    } else if (file->is_snapshot) {
        json_uint_member(json, "position", file->first - 1);
    } else {
        json_uint_member(json, "records", file->records);
        json_uint_member(json, "first", file->first);
        json_uint_member(json, "last", file->first + file->records - 1);
        json_uint_member(json, "end", (uint64_t)file->end);
        json_uint_member(json, "torn_bytes", (uint64_t)file->torn_bytes);
    }
    json_end(json, '}');
}

void
fsck_emit(const struct fsck *fsck, FILE *out)
{
    struct json json = {.out = out};
    char history[2 * HISTORY_SIZE + 1];
    hex(fsck->history, HISTORY_SIZE, history);
    json_begin(&json, '{');
    json_key(&json, "ok");
    json_bool(&json, fsck->damage.text[0] == '\0');
    if (fsck->damage.text[0] != '\0') {
        json_text_member(&json, "error", "damaged");
        json_text_member(&json, "message", fsck->damage.text);
    }
    json_text_member(&json, "directory", fsck->directory);
    if (fsck->side != NULL) {
        json_text_member(&json, "kind", fsck->side->kind);
        json_text_member(&json, "history", history);
        json_uint_member(&json, "position", fsck->position);
    }
    json_key(&json, "files");
    json_begin(&json, '[');
    for (size_t i = 0; i < fsck->count; i++) {
        emit_file(&fsck->list[i], &json);
    }
    json_end(&json, ']');
    json_key(&json, "compared_with");
    if (fsck->compared_with != 0) {
        json_uint(&json, fsck->compared_with);
    } else {
        json_null(&json);
    }
    if (fsck->state != NULL) {
        assert(fsck->side != NULL);
        fsck->side->emit(fsck->state, &json);
    }
    json_end(&json, '}');
    fputc('\n', out);
}
