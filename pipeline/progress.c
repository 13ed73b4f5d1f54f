#include "pipeline/progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BAR_WIDTH = 30,
    LINE_SIZE = 256,
    LINES_MAX = 4,
    WIDTH_UNKNOWN = 80
};

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

/* What one drawing consists of: lines without control sequences, cut to the terminal's width. */
struct drawing {
    char lines[LINES_MAX][LINE_SIZE];
    int count;
};

static void __attribute__((format(printf, 2, 3)))
add_line(struct drawing *drawing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(drawing->lines[drawing->count++], LINE_SIZE, format, arguments);
    va_end(arguments);
}

/* Fills `bar` with the share that `part` is of `whole`. */
static void
draw_bar(char bar[BAR_WIDTH + 1], uint64_t part, uint64_t whole)
{
    int filled = whole == 0 ? BAR_WIDTH : (int)(part * BAR_WIDTH / whole);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
    bar[BAR_WIDTH] = '\0';
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

/* "1: 4711  2: 4712 ...", for as many consumers as there is room. */
static void
list_consumers(struct recording *recording, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < recording->settings.consumers && used < size; i++) {
        uint64_t count =
            atomic_load_explicit(&recording->consumers[i].file.count, memory_order_relaxed);
        int length =
            snprintf(text + used, size - used, "  %d: %llu", i + 1, (unsigned long long)count);
        used += (size_t)length;
    }
}

static void
compose(struct progress *progress, struct recording *recording, struct drawing *drawing)
{
    const struct recording_settings *settings = &recording->settings;
    struct recording_totals totals;
    recording_add_up(recording, &totals);
    update_rate(progress, &totals);

    const uint64_t wanted = settings->count * (uint64_t)settings->producers;
    char bar[BAR_WIDTH + 1];
    char consumers[LINE_SIZE / 2];
    int64_t left_ms = 0;

    draw_bar(bar, totals.made, wanted);
    add_line(drawing, "made     [%s] %llu of %llu", bar, (unsigned long long)totals.made,
        (unsigned long long)wanted);
    draw_bar(bar, (uint64_t)totals.list.count, (uint64_t)settings->capacity);
    add_line(drawing, "waiting  [%s] %d of %d", bar, totals.list.count, settings->capacity);
    list_consumers(recording, consumers, sizeof consumers);
    const unsigned long long written = totals.written;
    if (recording_is_idle(recording, &left_ms)) {
        add_line(drawing, "written  %llu, by consumer%s", written, consumers);
        add_line(drawing, "idle     ends in %lld s unless a reading comes",
            (long long)(left_ms + 999) / 1000);
    } else {
        add_line(drawing, "written  %llu at %.0f readings/s, by consumer%s", written,
            progress->rate, consumers);
    }
}

void
progress_draw(struct progress *progress, struct recording *recording)
{
    enum {
        LABEL_WIDTH = 9
    };
    struct drawing drawing = {.count = 0};
    compose(progress, recording, &drawing);

    const int width = width_of(progress->out);
    progress_erase(progress);
    for (int i = 0; i < drawing.count; i++) {
        char *line = drawing.lines[i];
        if ((int)strlen(line) > width && width > 0) {
            line[width] = '\0';
        }
        if (progress->coloured && strlen(line) > LABEL_WIDTH) {
            fprintf(
                progress->out, "\033[36m%.*s\033[0m%s\n", LABEL_WIDTH, line, line + LABEL_WIDTH);
        } else {
            fprintf(progress->out, "%s\n", line);
        }
    }
    progress->lines = drawing.count;
    fflush(progress->out);
}

void
progress_erase(struct progress *progress)
{
    if (progress->lines > 0) {
        fprintf(progress->out, "\033[%dA\r\033[J", progress->lines);
        progress->lines = 0;
        fflush(progress->out);
    }
}
