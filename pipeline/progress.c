#include "pipeline/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    LABEL_WIDTH = 9,
    BAR_WIDTH_MAX = 30,
    BAR_WIDTH_MIN = 5, /* a smaller one says nothing, and is left out */
    LINE_SIZE = 1024,
    LINES_MAX = 5,
    WIDTH_UNKNOWN = 80
};

#define ELLIPSIS "\u2026" /* one column */

bool
progress_is_possible(FILE *out)
{
    const char *term = getenv("TERM");
    return isatty(fileno(out)) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

void
progress_init(struct progress *progress, FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    *progress = (struct progress){.out = out, .coloured = no_color == NULL || *no_color == '\0'};
}

static int
width_of(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return WIDTH_UNKNOWN;
    }
    return size.ws_col;
}

/* What one drawing consists of: lines without control sequences, no wider than the terminal. */
struct drawing {
    char lines[LINES_MAX][LINE_SIZE];
    int count;
    int width; /* columns of the terminal, but no more than a line can have */
};

/*
 * Adds a line: a label, and as many of the words behind it as there are columns for. No word is
 * cut: half a number would be a false one.
 */
static void
add_line(struct drawing *drawing, const char *label, const char *words)
{
    char *line = drawing->lines[drawing->count++];
    const size_t width = (size_t)drawing->width;
    size_t length =
        (size_t)snprintf(line, LINE_SIZE - sizeof ELLIPSIS, "%-*s%s", LABEL_WIDTH, label, words);
    if (length <= width) {
        return;
    }
    length = width - 1;
    while (length > 0 && line[length] != ' ') {
        length--;
    }
    memcpy(line + length, ELLIPSIS, sizeof ELLIPSIS);
}

/* Adds a line with the share that `part` is of `whole`, drawn as wide as there is room. */
static void
add_share(struct drawing *drawing, const char *label, uint64_t part, uint64_t whole)
{
    char words[128];
    const int length = snprintf(
        words, sizeof words, "%llu of %llu", (unsigned long long)part, (unsigned long long)whole);
    int room = drawing->width - LABEL_WIDTH - length - (int)strlen("[] ");
    room = room > BAR_WIDTH_MAX ? BAR_WIDTH_MAX : room;
    /* cppcheck-suppress knownConditionTrueFalse ; it does not know how wide the terminal is */
    if (room >= BAR_WIDTH_MIN) {
        char bar[BAR_WIDTH_MAX + 1];
        const int filled = whole == 0 ? room : (int)(part * (uint64_t)room / whole);
        memset(bar, '#', (size_t)filled);
        memset(bar + filled, '.', (size_t)(room - filled));
        bar[room] = '\0';
        snprintf(words, sizeof words, "[%s] %llu of %llu", bar, (unsigned long long)part,
            (unsigned long long)whole);
    }
    add_line(drawing, label, words);
}

static void
update_rate(struct progress *progress, const struct recording_totals *totals)
{
    const int64_t passed_ns = totals->wall_ns - progress->last_ns;
    if (passed_ns <= 0) {
        return;
    }
    const double rate =
        (double)(totals->written - progress->last_written) * 1e9 / (double)passed_ns;
    progress->rate = progress->last_ns == 0 ? rate : 0.7 * progress->rate + 0.3 * rate;
    progress->last_ns = totals->wall_ns;
    progress->last_written = totals->written;
}

/* Adds "1: 4711  2: 4712 ...", for as many consumers as there is room. */
static void
add_consumers(struct drawing *drawing, struct recording *recording)
{
    char words[LINE_SIZE] = "";
    const size_t width = (size_t)drawing->width;
    size_t used = 0;
    for (int i = 0; i < recording->settings.consumers; i++) {
        char entry[64];
        const uint64_t count =
            atomic_load_explicit(&recording->consumers[i].file.count, memory_order_relaxed);
        const size_t length = (size_t)snprintf(entry, sizeof entry, "%s%d: %llu",
            i == 0 ? "" : "  ", i + 1, (unsigned long long)count);
        const bool is_last = i + 1 == recording->settings.consumers;
        /* Behind all but the last there has to be room for " …". */
        if (LABEL_WIDTH + used + length + (is_last ? 0 : 2) > width) {
            snprintf(words + used, sizeof words - used, "%s", used == 0 ? ELLIPSIS : " " ELLIPSIS);
            break;
        }
        memcpy(words + used, entry, length + 1);
        used += length;
    }
    char *line = drawing->lines[drawing->count++];
    snprintf(line, LINE_SIZE, "%-*s%.*s", LABEL_WIDTH, "each", LINE_SIZE - LABEL_WIDTH - 1, words);
}

static void
compose(struct progress *progress, struct recording *recording, struct drawing *drawing)
{
    const struct recording_settings *settings = &recording->settings;
    struct recording_totals totals;
    char words[128];
    int64_t left_ms = 0;
    recording_add_up(recording, &totals);
    update_rate(progress, &totals);

    const bool is_idle = recording_is_idle(recording, &left_ms);
    add_share(drawing, "made", totals.made, settings->count * (uint64_t)settings->producers);
    add_share(drawing, "waiting", (uint64_t)totals.list.count, (uint64_t)settings->capacity);
    if (is_idle) {
        snprintf(words, sizeof words, "%llu", (unsigned long long)totals.written);
    } else {
        snprintf(words, sizeof words, "%llu at %.0f readings/s", (unsigned long long)totals.written,
            progress->rate);
    }
    add_line(drawing, "written", words);
    add_consumers(drawing, recording);
    if (is_idle) {
        snprintf(words, sizeof words, "ends in %lld s unless a reading comes",
            (long long)(left_ms + 999) / 1000);
        add_line(drawing, "idle", words);
    }
}

/* Writes the control sequences that remove what was drawn; returns how many bytes that took. */
static size_t
erase_into(const struct progress *progress, char *text, size_t size)
{
    return progress->lines == 0 ? 0
                                : (size_t)snprintf(text, size, "\033[%dA\r\033[J", progress->lines);
}

/* All at once, as standard error has no buffer: what is drawn in pieces flickers. */
static void
show(struct progress *progress, const char *text, size_t size)
{
    fwrite(text, 1, size, progress->out);
    fflush(progress->out);
}

void
progress_draw(struct progress *progress, struct recording *recording)
{
    const int width = width_of(progress->out);
    struct drawing drawing = {.width = width < LINE_SIZE / 2 ? width : LINE_SIZE / 2};
    char text[LINES_MAX * (LINE_SIZE + 16) + 32];
    compose(progress, recording, &drawing);

    size_t used = erase_into(progress, text, sizeof text);
    for (int i = 0; i < drawing.count; i++) {
        const char *line = drawing.lines[i];
        const bool coloured = progress->coloured && strlen(line) > LABEL_WIDTH;
        const int label = coloured ? LABEL_WIDTH : 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s%s%s\n",
            coloured ? "\033[36m" : "", label, line, coloured ? "\033[0m" : "", line + label);
    }
    progress->lines = drawing.count;
    show(progress, text, used);
}

void
progress_erase(struct progress *progress)
{
    char text[32];
    const size_t size = erase_into(progress, text, sizeof text);
    if (size > 0) {
        progress->lines = 0;
        show(progress, text, size);
    }
}
