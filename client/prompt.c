#include "client/prompt.h"

#include "client/interrupt.h"
#include "client/recall.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum {
    LISTED_MAX = 40 /* completions that are shown */
};

struct prompt {
    EditLine *editor;
    History *history;
    struct prompt_uses uses;
    enum completion_kind kind; /* of the line that is being read */
    const char *text;          /* shown now */
    bool is_dropped;           /* Ctrl-C ended a line that had something in it */
    char *line;                /* returned last */
};

static char *
show(EditLine *editor)
{
    struct prompt *prompt = NULL;
    el_get(editor, EL_CLIENTDATA, &prompt);
    /* libedit wants to be able to write it, and does not. */
    return (char *)(uintptr_t)prompt->text;
}

/* Reads one character; Ctrl-C is the end of the input, and noted. */
static int
read_character(EditLine *editor, wchar_t *character)
{
    mbstate_t state;
    memset(&state, 0, sizeof state);
    for (;;) {
        struct pollfd wait_for[2] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = interrupt_fd(), .events = POLLIN},
        };
        char byte;
        if (poll(wait_for, 2, -1) < 0 && errno != EINTR) {
            return -1;
        }
        if (interrupt_take()) {
            const LineInfo *info = el_line(editor);
            struct prompt *prompt = NULL;
            el_get(editor, EL_CLIENTDATA, &prompt);
            prompt->is_dropped = info->lastchar > info->buffer;
            return 0;
        }
        if (wait_for[0].revents == 0) {
            continue;
        }
        if (read(STDIN_FILENO, &byte, 1) != 1) {
            return 0;
        }
        size_t used = mbrtowc(character, &byte, 1, &state);
        if (used == (size_t)-1) {
            memset(&state, 0, sizeof state);
        } else if (used != (size_t)-2) {
            return 1;
        }
    }
}

/* Completion. */

/* Shows what may stand there, below the line that is being typed. */
static void
list(const struct completion *completion)
{
    putchar('\n');
    for (size_t i = 0; i < completion->count && i < LISTED_MAX; i++) {
        printf("  %s\n", completion->words[i]);
    }
    if (completion->count > LISTED_MAX) {
        printf("  … and %zu more\n", completion->count - LISTED_MAX);
    }
    fflush(stdout);
}

/* Puts `text` in the place of `typed`, which stands before the cursor. */
static unsigned char
replace(EditLine *editor, const char *typed, const char *text, bool is_whole)
{
    size_t characters = mbstowcs(NULL, typed, 0);
    if (characters == (size_t)-1) {
        return CC_ERROR;
    }
    if (characters > 0) {
        el_deletestr(editor, (int)characters);
    }
    bool bad = el_insertstr(editor, text) != 0 || (is_whole && el_insertstr(editor, " ") != 0);
    return bad ? CC_ERROR : CC_REFRESH;
}

static unsigned char
complete(EditLine *editor, int key)
{
    static const struct lookup no_items;
    struct prompt *prompt = NULL;
    struct completion completion;
    unsigned char result = CC_ERROR;
    (void)key;
    el_get(editor, EL_CLIENTDATA, &prompt);
    const LineInfo *info = el_line(editor);
    char *line = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
    if (line == NULL) {
        return CC_ERROR;
    }
    const struct lookup *items = completion_wants_items(prompt->kind, line)
                                     ? prompt->uses.items(prompt->uses.context)
                                     : &no_items;
    if (completion_find(&completion, prompt->kind, items, line) == 0) {
        const char *typed = &line[completion.start];
        char *common = completion_common(&completion, typed);
        if (common != NULL) {
            bool is_whole = completion.count == 1 && prompt->kind == COMPLETION_COMMAND;
            result = replace(editor, typed, common, is_whole);
        } else if (completion.count > 0) {
            list(&completion);
            result = CC_REDISPLAY;
        }
        free(common);
    }
    completion_clear(&completion);
    free(line);
    return result;
}

/* Life. */

static void
add_history(void *context, const char *line)
{
    HistEvent event;
    history(((struct prompt *)context)->history, &event, H_ENTER, line);
}

static void
set_up(struct prompt *prompt)
{
    HistEvent event;
    history(prompt->history, &event, H_SETSIZE, RECALL_LINES_MAX);
    history(prompt->history, &event, H_SETUNIQUE, 1);
    el_set(prompt->editor, EL_CLIENTDATA, prompt);
    el_set(prompt->editor, EL_EDITOR, "emacs");
    el_set(prompt->editor, EL_HIST, history, prompt->history);
    el_set(prompt->editor, EL_PROMPT_ESC, show, '\1');
    el_set(prompt->editor, EL_GETCFN, read_character);
    el_set(prompt->editor, EL_SIGNAL, 1);
    /* With narrow texts libedit would make copies that it never frees. */
    el_wset(prompt->editor, EL_ADDFN, L"complete-word", L"Complete the word.", complete);
    el_source(prompt->editor, NULL);
    el_set(prompt->editor, EL_BIND, "^I", "complete-word", NULL);
    el_set(prompt->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    recall_load(prompt->uses.history, add_history, prompt);
}

int
prompt_open(struct prompt **prompt, const struct prompt_uses *uses)
{
    struct prompt *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return ERROR_MEMORY;
    }
    opened->text = "";
    opened->uses = *uses;
    opened->editor = el_init(uses->program, stdin, stdout, stderr);
    opened->history = history_init();
    if (opened->editor == NULL || opened->history == NULL) {
        prompt_close(&opened);
        return ERROR_MEMORY;
    }
    set_up(opened);
    *prompt = opened;
    return 0;
}

void
prompt_close(struct prompt **prompt)
{
    if (*prompt != NULL) {
        if ((*prompt)->editor != NULL) {
            el_end((*prompt)->editor);
        }
        if ((*prompt)->history != NULL) {
            history_end((*prompt)->history);
        }
        free((*prompt)->line);
        free(*prompt);
        *prompt = NULL;
    }
}

/* Reads a line. Whoever drops a command with Ctrl-C types another; a question is left unanswered.
 */
static const char *
read_line(struct prompt *prompt)
{
    for (;;) {
        int size = 0;
        prompt->is_dropped = false;
        interrupt_set_editing(true);
        const char *typed = el_gets(prompt->editor, &size);
        interrupt_set_editing(false);
        if (typed != NULL && size > 0) {
            return typed;
        }
        if (!prompt->is_dropped || prompt->kind != COMPLETION_COMMAND) {
            return NULL;
        }
        fputs("^C\n", stdout);
        el_reset(prompt->editor);
    }
}

char *
prompt_read(struct prompt *prompt, const char *text, enum completion_kind kind)
{
    prompt->text = text;
    prompt->kind = kind;
    const char *typed = read_line(prompt);
    if (typed == NULL) {
        return NULL;
    }
    free(prompt->line);
    prompt->line = strdup(typed);
    if (prompt->line == NULL) {
        return NULL;
    }
    prompt->line[strcspn(prompt->line, "\r\n")] = '\0';
    if (kind == COMPLETION_COMMAND && prompt->line[0] != '\0') {
        add_history(prompt, prompt->line);
        recall_append(prompt->uses.history, prompt->line);
    }
    return prompt->line;
}
