#include "broker/sessions.h"

#include "shared/array.h"
#include "shared/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
sessions_init(struct sessions *sessions)
{
    *sessions = (struct sessions){.count = 0};
    index_init(&sessions->index, sizeof *sessions->rows);
}

void
sessions_clear(struct sessions *sessions)
{
    index_clear(&sessions->index);
    free(sessions->rows);
    free(sessions->users);
    sessions_init(sessions);
}

uint32_t
sessions_user(struct sessions *sessions, const char *name)
{
    for (size_t i = 0; i < sessions->user_count; i++) {
        if (strcmp(sessions->users[i].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    struct user *users =
        array_grow(sessions->users, sessions->user_count, &sessions->user_count_max, sizeof *users);
    if (users == NULL) {
        return INDEX_NONE;
    }
    sessions->users = users;
    struct user *user = &sessions->users[sessions->user_count];
    *user = (struct user){.session_count = 0};
    snprintf(user->name, sizeof user->name, "%s", name);
    return (uint32_t)sessions->user_count++;
}

int
sessions_reserve(struct sessions *sessions)
{
    struct session *rows =
        array_grow(sessions->rows, sessions->count, &sessions->count_max, sizeof *rows);
    if (rows == NULL) {
        return ERROR_MEMORY;
    }
    sessions->rows = rows;
    return index_reserve(&sessions->index, rows, sessions->count, sessions->count_max);
}

void
sessions_add(struct sessions *sessions, const struct session *session)
{
    sessions->rows[sessions->count] = *session;
    index_add(&sessions->index, sessions->rows, (uint32_t)sessions->count);
    sessions->count++;
    sessions->users[session->user].session_count++;
    if (session->number > sessions->last) {
        sessions->last = session->number;
    }
}

struct session *
sessions_find(const struct sessions *sessions, uint64_t number)
{
    uint32_t row = index_find(&sessions->index, sessions->rows, number);
    return row == INDEX_NONE ? NULL : &sessions->rows[row];
}

void
sessions_remove(struct sessions *sessions, struct session *session)
{
    uint32_t row = (uint32_t)(session - sessions->rows);
    uint32_t last = (uint32_t)sessions->count - 1;
    sessions->users[session->user].session_count--;
    index_remove(&sessions->index, sessions->rows, row);
    if (row != last) {
        index_move(&sessions->index, sessions->rows, last, row);
        *session = sessions->rows[last];
    }
    sessions->count--;
}
