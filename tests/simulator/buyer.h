/**
 * buyer.h: a machine with a client: the real shopper and local inventory on a simulated disk, a
 * user who has errands, and a link like that of the programs: it sends again after a while, and
 * takes a reply only to what it sent last.
 *
 * Whatever the user is told is held against the model, and after each start what the local
 * inventory has is held against what the user was told.
 */
#ifndef STOCKBUS_TESTS_BUYER_H
#define STOCKBUS_TESTS_BUYER_H

#include "client/shopper.h"
#include "simulator/disk.h"
#include "simulator/model.h"

/** What a buyer does when nothing goes wrong any more. */
enum calm {
    CALM_NOT_YET,
    CALM_RESOLVE,
    CALM_VIEW,
    CALM_LOGOUT,
    CALM_DONE
};

struct buyer {
    struct stage *stage;
    int number;
    int user; /**< whom it prefers to log in as */
    struct disk disk;
    struct local_inventory *inventory; /**< NULL: the process is not there */
    struct shopper *shopper;
    bool has_errand;
    bool is_view;
    int login_user; /**< the errand is a login of this user; -1: it is none */
    enum shopper_step step;
    uint64_t awaited; /**< serial number of the last sending; 0: no reply is awaited */
    unsigned sendings;
    enum calm calm;

    bool has_sent; /**< bytes of this order went out, and the user was not told what became of it */
    uint64_t sent_session;
    uint64_t sent_order;
    uint64_t told[STAGE_USERS][STAGE_ITEMS_MAX]; /**< units that the user was told are bought */
    uint64_t errands;
    uint64_t answers;
};

/** Makes the machine, off. */
void
buyer_init(struct buyer *buyer, struct stage *stage, int number);

/** Frees it. */
void
buyer_fini(struct buyer *buyer);

/** Does the next thing. */
void
buyer_step(struct buyer *buyer);

/** Takes a reply to sending `serial`. */
void
buyer_receive(struct buyer *buyer, const struct message *message);

/** Kills the process. */
void
buyer_kill(struct buyer *buyer);

#endif
