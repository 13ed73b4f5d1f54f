#include "client/view.h"

#include "shared/array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUN_MAX = 200 /* UPCs that are asked for at once: with the longest names, they fit a reply */
};

void
view_clear(struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        free((void *)(uintptr_t)view->items[i].name);
    }
    free(view->items);
    free(view->wanted);
    *view = (struct view){0};
}

static int
compare_upcs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int
view_want(struct view *view, const uint64_t *upcs, size_t count)
{
    assert(view->wanted == NULL && count > 0);
    view->wanted = calloc(count, sizeof *view->wanted);
    if (view->wanted == NULL) {
        return ERROR_MEMORY;
    }
    memcpy(view->wanted, upcs, count * sizeof *upcs);
    qsort(view->wanted, count, sizeof *view->wanted, compare_upcs);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || view->wanted[i] != view->wanted[i - 1]) {
            view->wanted[view->wanted_count++] = view->wanted[i];
        }
    }
    return 0;
}

void
view_ask(const struct view *view, struct request *request)
{
    assert(view->wanted != NULL || view->wanted_count == 0);
    request->operation = OPERATION_VIEW;
    request->line_count = 0;
    request->continues = view->wanted == NULL && view->count > 0;
    request->after = request->continues ? view->items[view->count - 1].upc : 0;
    for (size_t i = view->wanted_at; i < view->wanted_count && request->line_count < RUN_MAX; i++) {
        request->lines[request->line_count++] = (struct line){.upc = view->wanted[i]};
    }
}

static int
add_item(struct view *view, const struct item *item)
{
    struct item *grown = array_grow(view->items, view->count, &view->room, sizeof *grown);
    if (grown == NULL) {
        return ERROR_MEMORY;
    }
    view->items = grown;
    char *name = strdup(item->name);
    if (name == NULL) {
        return ERROR_MEMORY;
    }
    view->items[view->count++] =
        (struct item){.upc = item->upc, .units = item->units, .name = name};
    return 0; /* analyzer: malloc-leak: the view has it now */
}

int
view_take(struct view *view, const struct reply *reply, bool *more)
{
    if (!reply->is_page || (reply->more && (reply->item_count == 0 || view->wanted != NULL))) {
        return ERROR_DAMAGED;
    }
    for (size_t i = 0; i < reply->item_count; i++) {
        if (view->count > 0 && reply->items[i].upc <= view->items[view->count - 1].upc) {
            return ERROR_DAMAGED;
        }
        int error = add_item(view, &reply->items[i]);
        if (error != 0) {
            return error;
        }
    }
    view->wanted_at += RUN_MAX;
    *more = reply->more || view->wanted_at < view->wanted_count;
    return 0;
}

const char *
view_find_name(const struct view *view, uint64_t upc)
{
    size_t low = 0;
    size_t high = view->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->items[middle].upc < upc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < view->count && view->items[low].upc == upc ? view->items[low].name : NULL;
}
