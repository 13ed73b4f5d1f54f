#include "support/choices.h"

#include <assert.h>

enum {
    LEANING_FIRST,
    LEANING_LAST,
    LEANING_MOSTLY_FIRST,
    LEANING_MOSTLY_LAST,
    LEANING_COUNT = 8 /* the others are even */
};

size_t
choices_pick(struct choices *choices, size_t count)
{
    assert(count > 0);
    if (count == 1) {
        return 0;
    }
    size_t choice = choices->pick(choices, count);
    assert(choice < count);
    return choice;
}

uint64_t
random_next(struct random_stream *stream)
{
    uint64_t z = stream->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t
random_below(struct random_stream *stream, uint64_t count)
{
    assert(count > 0);
    return random_next(stream) % count;
}

static size_t
pick_random(struct choices *choices, size_t count)
{
    struct random_choices *random = (struct random_choices *)choices;
    size_t choice = (size_t)random_below(&random->stream, count);
    switch (random->leaning) {
    case LEANING_FIRST:
        return 0;
    case LEANING_LAST:
        return count - 1;
    case LEANING_MOSTLY_FIRST:
        return random_below(&random->stream, 8) > 0 ? 0 : choice;
    case LEANING_MOSTLY_LAST:
        return random_below(&random->stream, 8) > 0 ? count - 1 : choice;
    default:
        return choice;
    }
}

void
random_choices_init(struct random_choices *random, uint64_t seed)
{
    *random = (struct random_choices){.choices = {pick_random}, .stream = {seed}};
    random->leaning = (unsigned)random_below(&random->stream, LEANING_COUNT);
}

static size_t
pick_in_turn(struct choices *choices, size_t count)
{
    struct enumeration *enumeration = (struct enumeration *)choices;
    assert(enumeration->at < ENUMERATION_DEPTH_MAX);
    if (enumeration->at == enumeration->depth) {
        enumeration->digits[enumeration->depth++] = 0;
    }
    enumeration->counts[enumeration->at] = count;
    return enumeration->digits[enumeration->at++];
}

void
enumeration_init(struct enumeration *enumeration)
{
    *enumeration = (struct enumeration){.choices = {pick_in_turn}};
}

bool
enumeration_next(struct enumeration *enumeration)
{
    enumeration->at = 0;
    while (enumeration->depth > 0) {
        size_t last = enumeration->depth - 1;
        if (++enumeration->digits[last] < enumeration->counts[last]) {
            return true;
        }
        enumeration->depth--;
    }
    return false;
}
