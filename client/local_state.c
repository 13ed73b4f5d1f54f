#include "client/local_state.h"

#include "shared/array.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void
local_state_clear(struct local_state *state)
{
    for (size_t i = 0; i < state->holder_count; i++) {
        free(state->holders[i].lines);
    }
    for (size_t i = 0; i < state->name_count; i++) {
        free(state->names[i].text);
    }
    free(state->holders);
    free(state->names);
    free(state->asides);
    sodium_memzero(state, sizeof *state);
}

static struct holder *
find_holder(const struct local_state *state, const char *user)
{
    for (size_t i = 0; i < state->holder_count; i++) {
        if (strcmp(state->holders[i].user, user) == 0) {
            return &state->holders[i];
        }
    }
    return NULL;
}

const struct holder *
local_state_find_holder(const struct local_state *state, const char *user)
{
    return find_holder(state, user);
}

/* Returns where `upc` is in `holder`, or where it would go. */
static size_t
line_index(const struct holder *holder, uint64_t upc)
{
    size_t low = 0;
    size_t high = holder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (holder->lines[middle].upc < upc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool
local_state_holds(const struct local_state *state, uint64_t upc)
{
    for (size_t i = 0; i < state->holder_count; i++) {
        const struct holder *holder = &state->holders[i];
        size_t index = line_index(holder, upc);
        if (index < holder->count && holder->lines[index].upc == upc) {
            return true;
        }
    }
    return false;
}

/* Returns where `upc` is among the names, or where it would go. */
static size_t
name_index(const struct local_state *state, uint64_t upc)
{
    size_t low = 0;
    size_t high = state->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (state->names[middle].upc < upc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const char *
local_state_find_name(const struct local_state *state, uint64_t upc)
{
    size_t index = name_index(state, upc);
    bool found = index < state->name_count && state->names[index].upc == upc;
    return found ? state->names[index].text : NULL;
}

static struct holder *
add_holder(struct local_state *state, const char *user)
{
    struct holder *grown =
        reallocarray(state->holders, state->holder_count + 1, sizeof *state->holders);
    if (grown == NULL) {
        return NULL;
    }
    state->holders = grown;
    struct holder *holder = &grown[state->holder_count++];
    memset(holder, 0, sizeof *holder);
    memcpy(holder->user, user, strnlen(user, USER_SIZE_MAX));
    return holder;
}

int
local_state_add_units(struct local_state *state, const char *user, uint64_t upc, uint64_t units)
{
    struct holder *holder = find_holder(state, user);
    if (holder == NULL) {
        holder = add_holder(state, user);
        if (holder == NULL) {
            return ERROR_MEMORY;
        }
    }
    size_t index = line_index(holder, upc);
    if (index < holder->count && holder->lines[index].upc == upc) {
        if (units > UINT64_MAX - holder->lines[index].units) {
            return ERROR_DAMAGED;
        }
        holder->lines[index].units += units;
        return 0;
    }
    struct line *grown = array_grow(holder->lines, holder->count, &holder->room, sizeof *grown);
    if (grown == NULL) {
        return ERROR_MEMORY;
    }
    holder->lines = grown;
    memmove(&grown[index + 1], &grown[index], (holder->count - index) * sizeof *grown);
    grown[index] = (struct line){.upc = upc, .units = units};
    holder->count++;
    return 0;
}

int
local_state_set_name(struct local_state *state, uint64_t upc, const char *text, size_t size)
{
    char *copy = strndup(text, size);
    if (copy == NULL) {
        return ERROR_MEMORY;
    }
    size_t index = name_index(state, upc);
    if (index < state->name_count && state->names[index].upc == upc) {
        free(state->names[index].text);
        state->names[index].text = copy;
        return 0; /* analyzer: malloc-leak: the state has it now */
    }
    struct item_name *grown =
        array_grow(state->names, state->name_count, &state->name_room, sizeof *grown);
    if (grown == NULL) {
        free(copy);
        return ERROR_MEMORY;
    }
    state->names = grown;
    memmove(&grown[index + 1], &grown[index], (state->name_count - index) * sizeof *grown);
    grown[index] = (struct item_name){.upc = upc, .text = copy};
    state->name_count++;
    return 0; /* analyzer: malloc-leak: the state has it now */
}

int
local_state_add_aside(struct local_state *state, const struct order *order, enum status status)
{
    struct aside *grown =
        reallocarray(state->asides, state->aside_count + 1, sizeof *state->asides);
    if (grown == NULL) {
        return ERROR_MEMORY;
    }
    state->asides = grown;
    grown[state->aside_count++] = (struct aside){.order = *order, .status = status};
    return 0;
}

void
local_state_see(struct local_state *state, uint64_t position)
{
    if (state->has_history && position > state->position) {
        state->position = position;
    }
}
