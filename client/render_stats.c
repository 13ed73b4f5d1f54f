#include "client/render_parts.h"

#include "client/table.h"
#include "shared/stats.h"

#include <inttypes.h>

enum {
    MS_PER_S = 1000,
    S_PER_MIN = 60,
    MIN_PER_H = 60,
    H_PER_DAY = 24
};

/* JSON. */

static void
add_tally(struct json *json, const char *key, const struct tally *tally)
{
    json_key(json, key);
    json_begin(json, '{');
    json_uint_member(json, "count", tally->count);
    json_uint_member(json, "total", tally->total);
    json_uint_member(json, "max", tally->max);
    json_uint_member(json, "p50", tally_percentile(tally, 50));
    json_uint_member(json, "p99", tally_percentile(tally, 99));
    json_key(json, "buckets");
    json_begin(json, '[');
    for (int i = 0; i < TALLY_BUCKETS; i++) {
        json_uint(json, tally->buckets[i]);
    }
    json_end(json, ']');
    json_end(json, '}');
}

static void
add_requests(struct json *json, const struct stats *stats)
{
    json_key(json, "requests");
    json_begin(json, '{');
    for (size_t row = 0; row <= OPERATION_COUNT; row++) {
        json_key(json, stats_row_word(row));
        json_begin(json, '{');
        for (int status = 0; status < STATUS_COUNT; status++) {
            if (stats->requests[row][status] > 0) {
                json_uint_member(
                    json, status_word((enum status)status), stats->requests[row][status]);
            }
        }
        json_end(json, '}');
    }
    json_end(json, '}');
}

static void
write_json(struct render *render, const struct shopper_result *result)
{
    const struct stats *stats = result->reply.stats;
    struct json json = render_begin_object(render, true);
    json_text_member(&json, "version", stats->version);
    json_uint_member(&json, "position", result->reply.position);
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        json_uint_member(&json, stats_number_word((enum stats_number)i), stats->numbers[i]);
    }
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        add_tally(&json, stats_tally_word((enum stats_tally)i), &stats->tallies[i]);
    }
    add_requests(&json, stats);
    render_add_before(&json, render, result);
    render_end_object(&json);
}

/* Lines of key and value, separated by a tab. */

static void
write_lines(FILE *out, const struct shopper_result *result)
{
    const struct stats *stats = result->reply.stats;
    fprintf(out, "version\t%s\nposition\t%" PRIu64 "\n", stats->version, result->reply.position);
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        fprintf(
            out, "%s\t%" PRIu64 "\n", stats_number_word((enum stats_number)i), stats->numbers[i]);
    }
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        const char *word = stats_tally_word((enum stats_tally)i);
        const struct tally *tally = &stats->tallies[i];
        fprintf(out, "%s.count\t%" PRIu64 "\n%s.total\t%" PRIu64 "\n%s.max\t%" PRIu64 "\n", word,
            tally->count, word, tally->total, word, tally->max);
        fprintf(out, "%s.p50\t%" PRIu64 "\n%s.p99\t%" PRIu64 "\n", word,
            tally_percentile(tally, 50), word, tally_percentile(tally, 99));
    }
    for (size_t row = 0; row <= OPERATION_COUNT; row++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            if (stats->requests[row][status] > 0) {
                fprintf(out, "requests.%s.%s\t%" PRIu64 "\n", stats_row_word(row),
                    status_word((enum status)status), stats->requests[row][status]);
            }
        }
    }
}

/* Tables, on a terminal. */

static void
write_number(FILE *out, int width, uint64_t number)
{
    char text[TABLE_NUMBER_SIZE];
    table_format_number(number, text);
    fprintf(out, "%*s", width, text);
}

/* Writes how long it has been up: the two largest units. */
static void
write_uptime(FILE *out, uint64_t uptime_ms)
{
    uint64_t seconds = uptime_ms / MS_PER_S;
    uint64_t minutes = seconds / S_PER_MIN;
    uint64_t hours = minutes / MIN_PER_H;
    if (hours >= H_PER_DAY) {
        fprintf(out, "%" PRIu64 " d %" PRIu64 " h", hours / H_PER_DAY, hours % H_PER_DAY);
    } else if (hours > 0) {
        fprintf(out, "%" PRIu64 " h %" PRIu64 " min", hours, minutes % MIN_PER_H);
    } else {
        fprintf(out, "%" PRIu64 " min %" PRIu64 " s", minutes, seconds % S_PER_MIN);
    }
}

static void
write_numbers(FILE *out, const struct shopper_result *result)
{
    const struct stats *stats = result->reply.stats;
    fprintf(out, "%-26s%s\n%-26s", "version", stats->version, "position");
    write_number(out, 0, result->reply.position);
    fputc('\n', out);
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        fprintf(out, "%-26s", stats_number_text((enum stats_number)i));
        if (i == STATS_UPTIME_MS) {
            write_uptime(out, stats->numbers[i]);
        } else {
            write_number(out, 0, stats->numbers[i]);
        }
        fputc('\n', out);
    }
}

static void
write_head(struct render *render, const char *text)
{
    fprintf(render->out, "\n%s%s%s\n", style_code(render->colors_out, STYLE_HEAD), text,
        style_code(render->colors_out, STYLE_PLAIN));
}

static void
write_tallies(struct render *render, const struct stats *stats)
{
    FILE *out = render->out;
    write_head(
        render, "EACH                           COUNT      MEAN       P50       P99       MAX");
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        const struct tally *tally = &stats->tallies[i];
        double mean = tally->count > 0 ? (double)tally->total / (double)tally->count : 0;
        fprintf(out, "%-22s", stats_tally_text((enum stats_tally)i));
        write_number(out, 14, tally->count);
        fprintf(out, "%10.1f", mean);
        write_number(out, 10, tally_percentile(tally, 50));
        write_number(out, 10, tally_percentile(tally, 99));
        write_number(out, 10, tally->max);
        fputc('\n', out);
    }
}

static void
write_requests(struct render *render, const struct stats *stats)
{
    write_head(render, "REQUEST   OUTCOME                COUNT");
    for (size_t row = 0; row <= OPERATION_COUNT; row++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            if (stats->requests[row][status] > 0) {
                fprintf(render->out, "%-10s%-18s", stats_row_word(row),
                    status_word((enum status)status));
                write_number(render->out, 10, stats->requests[row][status]);
                fputc('\n', render->out);
            }
        }
    }
}

void
render_stats(struct render *render, const struct shopper_result *result)
{
    render_before(render, &result->before);
    if (render->json) {
        write_json(render, result);
        return;
    }
    if (render->is_terminal) {
        write_numbers(render->out, result);
        write_tallies(render, result->reply.stats);
        write_requests(render, result->reply.stats);
    } else {
        write_lines(render->out, result);
    }
    fflush(render->out);
}
