/**
 * vectors.h: reads requests and replies in hex, as they stand in tests/vectors/ and in PROTOCOL.md.
 *
 * Vectors are separated by blank lines. The first line of one is "KIND NAME[ STATUS]: meaning", the
 * others are words of hex digits; HEX*N stands for N times these bytes.
 */
#ifndef STOCKBUS_TESTS_VECTORS_H
#define STOCKBUS_TESTS_VECTORS_H

#include "support/cmocka_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VECTORS_MAX = 128
};

struct vector {
    char kind[16];
    char name[48];
    char status[24]; /* empty: the first line has none */
    char meaning[160];
    unsigned char *data;
    size_t size;
};

struct vectors {
    size_t count;
    struct vector rows[VECTORS_MAX];
};

/** Returns the whole of a file as text on the heap. Fails the test where it cannot. */
static inline char *
vectors_read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    size_t size = 0;
    size_t room = 4 * 1024 * 1024;
    char *text = malloc(room);
    assert_non_null(file);
    assert_non_null(text);
    size = fread(text, 1, room - 1, file);
    assert_true(feof(file));
    fclose(file);
    text[size] = '\0';
    return text;
}

static inline unsigned
vectors_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, digit);
    assert_true(digit != '\0' && found != NULL);
    return (unsigned)(found - digits);
}

/** Appends the bytes of one word. */
static inline void
vectors_take_word(struct vector *vector, const char *word, size_t word_size)
{
    const char *star = memchr(word, '*', word_size);
    size_t digits = star == NULL ? word_size : (size_t)(star - word);
    size_t times = star == NULL ? 1 : strtoul(star + 1, NULL, 10);
    size_t group = digits / 2;
    assert_true(digits > 0 && digits % 2 == 0 && times > 0);
    vector->data = realloc(vector->data, vector->size + times * group);
    assert_non_null(vector->data);
    unsigned char *bytes = vector->data + vector->size;
    for (size_t i = 0; i < group; i++) {
        bytes[i] =
            (unsigned char)(vectors_digit(word[2 * i]) << 4 | vectors_digit(word[2 * i + 1]));
    }
    for (size_t i = 1; i < times; i++) {
        memcpy(bytes + i * group, bytes, group);
    }
    vector->size += times * group;
}

/** Takes the first line of a vector. */
static inline void
vectors_take_head(struct vector *vector, const char *line, size_t size)
{
    char head[300];
    assert_true(size < sizeof head);
    memcpy(head, line, size);
    head[size] = '\0';
    char *colon = strstr(head, ": ");
    assert_non_null(colon);
    *colon = '\0';
    snprintf(vector->meaning, sizeof vector->meaning, "%s", colon + 2);
    assert_true(sscanf(head, "%15s %47s %23s", vector->kind, vector->name, vector->status) >= 2);
}

/** Takes the vectors that stand between `text` and `end` and appends them. */
static inline void
vectors_parse(struct vectors *vectors, const char *text, const char *end)
{
    struct vector *vector = NULL;
    while (text < end) {
        size_t size = strcspn(text, "\n");
        if (size == 0) {
            vector = NULL;
        } else if (vector == NULL) {
            assert_true(vectors->count < VECTORS_MAX);
            vector = &vectors->rows[vectors->count++];
            vectors_take_head(vector, text, size);
        } else {
            for (size_t at = 0; at < size;) {
                size_t word = strcspn(text + at, " \n");
                vectors_take_word(vector, text + at, word);
                at += word + 1;
            }
        }
        text += size + 1;
    }
}

/** Reads the vectors of a file: all of it, or, in a document, what `fence` and "```" enclose. */
static inline struct vectors *
vectors_read(const char *path, const char *fence)
{
    struct vectors *vectors = calloc(1, sizeof *vectors);
    char *text = vectors_read_text(path);
    const char *begin = text;
    const char *end = text + strlen(text);
    assert_non_null(vectors);
    if (fence != NULL) {
        begin = strstr(text, fence);
        assert_non_null(begin);
        begin += strlen(fence);
        end = strstr(begin, "```");
        assert_non_null(end);
    }
    vectors_parse(vectors, begin, end);
    free(text);
    return vectors;
}

/** Frees what vectors_read() returned. */
static inline void
vectors_free(struct vectors *vectors)
{
    for (size_t i = 0; i < vectors->count; i++) {
        free(vectors->rows[i].data);
    }
    free(vectors);
}

#endif
