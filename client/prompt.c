#include "client/prompt.h"

#include "client/interrupt.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum {
    HISTORY_LINES = 500
};

struct prompt {
    EditLine *editor;
    History *history;
    const char *text; /* shown now */
    char *line;       /* returned last */
};

static char *
show(EditLine *editor)
{
    struct prompt *prompt = NULL;
    el_get(editor, EL_CLIENTDATA, &prompt);
    /* libedit wants to be able to write it, and does not. */
    return (char *)(uintptr_t)prompt->text;
}

/* Reads one character; Ctrl-C is the end of the input. */
static int
read_character(EditLine *editor, wchar_t *character)
{
    (void)editor;
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

int
prompt_open(struct prompt **prompt, const char *program)
{
    HistEvent event;
    struct prompt *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return ERROR_MEMORY;
    }
    opened->text = "";
    opened->editor = el_init(program, stdin, stdout, stderr);
    opened->history = history_init();
    if (opened->editor == NULL || opened->history == NULL) {
        prompt_close(&opened);
        return ERROR_MEMORY;
    }
    history(opened->history, &event, H_SETSIZE, HISTORY_LINES);
    history(opened->history, &event, H_SETUNIQUE, 1);
    el_set(opened->editor, EL_CLIENTDATA, opened);
    el_set(opened->editor, EL_EDITOR, "emacs");
    el_set(opened->editor, EL_HIST, history, opened->history);
    el_set(opened->editor, EL_PROMPT, show);
    el_set(opened->editor, EL_GETCFN, read_character);
    el_set(opened->editor, EL_SIGNAL, 1);
    el_source(opened->editor, NULL);
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

char *
prompt_read(struct prompt *prompt, const char *text, bool remember)
{
    int size = 0;
    HistEvent event;
    prompt->text = text;
    const char *typed = el_gets(prompt->editor, &size);
    if (typed == NULL || size <= 0) {
        return NULL;
    }
    free(prompt->line);
    prompt->line = strdup(typed);
    if (prompt->line == NULL) {
        return NULL;
    }
    prompt->line[strcspn(prompt->line, "\r\n")] = '\0';
    if (remember && prompt->line[0] != '\0') {
        history(prompt->history, &event, H_ENTER, prompt->line);
    }
    return prompt->line;
}
