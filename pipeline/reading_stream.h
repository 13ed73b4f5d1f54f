/**
 * reading_stream.h: readings out of a file or a pipe, one after the other, in bounded memory.
 *
 * One thread uses a `struct reading_stream` at a time.
 */
#ifndef STOCKBUS_PIPELINE_READING_STREAM_H
#define STOCKBUS_PIPELINE_READING_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/reading.h"
#include "shared/error.h"

enum {
    READING_STREAM_BUFFER_SIZE = 256 * 1024
};

/** A file of readings that is being read. */
struct reading_stream {
    int fd;                       /**< the caller's */
    const char *name;             /**< of the file, for messages; borrowed */
    uint64_t offset;              /**< in the stream, of the object that comes next */
    uint64_t count;               /**< readings returned so far */
    bool at_end;                  /**< the file has no more bytes than those in `data` */
    size_t start;                 /**< where the next object begins in `data` */
    size_t end;                   /**< where the bytes in `data` end */
    unsigned char *data;          /**< READING_STREAM_BUFFER_SIZE bytes */
    struct unpacked unpacked;     /**< of the reading that was returned last */
    int error;                    /**< what ended it; 0: nothing yet */
    struct diagnostic diagnostic; /**< a sentence for `error` */
};

/**
 * Begins to read at the place where `fd` stands. `fd` and `name` are borrowed until
 * reading_stream_fini(). Returns 0 or ERROR_MEMORY.
 */
int
reading_stream_init(struct reading_stream *stream, int fd, const char *name);

/** Frees the memory. */
void
reading_stream_fini(struct reading_stream *stream);

/**
 * Reads the next reading. Blocks while a pipe has none.
 *
 * Returns 0 with it in `*reading`; ERROR_CLOSED when the stream ends behind a whole reading;
 * ERROR_DAMAGED when what comes next is no reading, or the stream ends inside it; or ERROR_IO or
 * ERROR_MEMORY. `*diagnostic` has a sentence unless it is 0 or ERROR_CLOSED: name of the file, byte
 * offset and number (from 1) of the object. An error is sticky: the stream gives nothing more, and
 * every later call returns the same error, with the same sentence.
 */
int
reading_stream_next(
    struct reading_stream *stream, struct reading *reading, struct diagnostic *diagnostic);

#endif
