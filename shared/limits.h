/**
 * limits.h: every bound of the protocol and of the files, in one place.
 *
 * PROTOCOL.md states the same numbers; a test compares the two.
 */
#ifndef STOCKBUS_SHARED_LIMITS_H
#define STOCKBUS_SHARED_LIMITS_H

/** Version of the protocol that travels in every request and reply. */
#define PROTOCOL_VERSION 1

/** Size of a whole request or reply, in bytes. A larger frame closes the connection. */
#define MESSAGE_SIZE_MAX 65536
/** Depth of nesting, and number of objects, in one message. */
#define MESSAGE_DEPTH_MAX 8
/** Objects in one message, keys and containers counted. */
#define MESSAGE_ELEMENTS_MAX 4096

/** A UPC-A code is twelve digits. */
#define UPC_MAX 999999999999
/** Units of one line of an order; at least 1. Lines with the same UPC add up and may exceed it. */
#define UNITS_MAX 1000000000
/** Units of one item that a broker can hold: the largest integer that JSON carries exactly. */
#define LEVEL_MAX 9007199254740991
/** Session, order and position numbers stay below this for the same reason. */
#define NUMBER_MAX 9007199254740991
/** Lines of one order. */
#define ORDER_LINES_MAX 1000
/** Items of one reply to a view, and UPCs named in one: 4 objects each, so that a page stays below
 * MESSAGE_ELEMENTS_MAX.
 */
#define PAGE_ITEMS_MAX 800

/** Lengths of texts in bytes, without a terminating zero. All texts are UTF-8. */
#define ITEM_NAME_SIZE_MAX 200
/** Length of the name of a user. */
#define USER_SIZE_MAX 32
/** Length of a password. */
#define PASSWORD_SIZE_MAX 128

/** Sizes of opaque byte strings. */
#define TOKEN_SIZE 16
/** Random bytes by which repetitions of one login are known. */
#define NONCE_SIZE 16
/** The id of a broker's data. */
#define HISTORY_SIZE 8

/** Size of one record of a journal or a snapshot, checksum and all, in bytes. */
#define RECORD_SIZE_MAX (32 * 1024 * 1024)

#endif
