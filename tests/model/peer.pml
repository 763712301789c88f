/* SPDX-License-Identifier: MIT */
/* Rules 1 to 5 of the peer lease (docs/design.md), for an owner, two other voters of which one
 * restarts as a new session, the first list of voters and two changes of it. Everything is one
 * process of atomic steps; the network loses, doubles, delays and reorders whatever it carries, for
 * a datagram stays in it until nobody can gain a right by it, and is delivered as often as one
 * likes. Transactions hang and are carried out late, and their answers get lost.
 *
 * Time goes in ticks. A heartbeat is worth RIGHT ticks from when it was sent; a voter is patient
 * for PATIENCE ticks after it acknowledged. Drift of the clocks is in RIGHT <= PATIENCE.
 *
 * The claim: once others have ended the owner's lease, it is mute for ever.
 *
 * Planted bugs: -DGRANT_AT_ONCE -DACK_AFTER_GRANT -DFROM_THE_REPLY -DONE_MAJORITY -DNO_REVISION
 * -DVOTERS_AT_CREATION -DOLD_TERM */

#ifndef RIGHT
#define RIGHT 2
#endif
#define PATIENCE RIGHT
#define PROPOSALS 3 /* lists with voters, or without: the first and two changes */
#define NEW 2       /* the session that comes after the restart of voter 1 */
#define BIT(left) (1 << ((left) - 1))

typedef voter {
    bool is_alive;
    byte patience; /* ticks until it may grant */
    byte gave;     /* the owner's term that it gave up */
    byte beats;    /* on their way to it: a bit for each number of ticks that they are worth */
    byte acks[4];  /* on their way back, by the term that they say is given up */
    byte fresh;    /* at the owner: ticks for which its newest acknowledgement is good */
    byte given;    /* at the owner: what that said */
};
voter v[3];

/* Lists are sets of voters beside the owner: bit i is voter i. */
byte record_revision, record_term, record_list; /* in etcd; revision 0 = no record */
byte last_revision, old_term, old_list;
byte current_revision, current_term, current_list, next_term, next_list, guard;
bool is_proposing, is_lost, is_ended, was_created;
byte proposals, term_max;

#define IN(list, i) (((list) >> (i)) & 1)
#define SIZE(list) (1 + IN(list, 0) + IN(list, 1) + IN(list, 2))
#define NEED(list) (SIZE(list) / 2) /* of the others, for a majority with the owner */
#ifdef OLD_TERM /* what was given up is not looked at */
#define COUNTS(i, list, term) (IN(list, i) && v[i].fresh > 0)
#else
#define COUNTS(i, list, term) (IN(list, i) && v[i].fresh > 0 && v[i].given < (term))
#endif
#define ACKED(list, term) (COUNTS(0, list, term) + COUNTS(1, list, term) + COUNTS(2, list, term))
#define HAS_RIGHT(list, term) ((list) == 0 || ACKED(list, term) >= NEED(list))
#define MAY_SPEAK                                                                                  \
    (!is_lost && HAS_RIGHT(current_list, current_term) &&                                          \
     (!is_proposing || HAS_RIGHT(next_list, next_term)))
#define GAVE(i, list, term) (IN(list, i) && v[i].gave >= (term))
#define GRANTS(list, term) (GAVE(0, list, term) + GAVE(1, list, term) + GAVE(2, list, term))
/* The owner is asked for nothing, so a majority of all must be among the others. */
#define MAY_END(list, term) ((list) != 0 && GRANTS(list, term) >= SIZE(list) / 2 + 1)

inline write(term, list)
{
    last_revision++;
    old_term = record_term;
    old_list = record_list;
    record_revision = last_revision;
    record_term = term;
    record_list = list;
    if
    :: list != 0 && term > term_max -> term_max = term
    :: else
    fi
}

inline confirm()
{
    current_revision = record_revision;
    current_term = next_term;
    current_list = next_list;
    is_proposing = false;
    next_list = 0;
    was_created = true
}

inline propose(list)
{
    next_list = list;
    next_term = current_term + 1;
    guard = current_revision;
    proposals++;
#ifdef ONE_MAJORITY
    current_list = list;
    current_term = next_term;
#endif
    is_proposing = true
}

inline tick()
{
    for (i : 0 .. 2) {
        v[i].beats = v[i].beats >> 1;
        v[i].acks[0] = v[i].acks[0] >> 1;
        v[i].acks[1] = v[i].acks[1] >> 1;
        v[i].acks[2] = v[i].acks[2] >> 1;
        v[i].acks[3] = v[i].acks[3] >> 1;
        v[i].fresh = (v[i].fresh > 0 -> v[i].fresh - 1 : 0);
        v[i].given = (v[i].fresh > 0 || v[i].given > 0 -> v[i].given : 0);
        v[i].patience = (v[i].patience > 0 -> v[i].patience - 1 : 0)
    }
}

inline acknowledge(i, left)
{
    v[i].patience = PATIENCE;
#ifdef ACK_AFTER_GRANT
    v[i].acks[0] = v[i].acks[0] | BIT(left);
#else
    v[i].acks[v[i].gave] = v[i].acks[v[i].gave] | BIT(left);
#endif
}

/* Only what is newer than what is known counts. */
inline hear(i, left, term)
{
#ifdef FROM_THE_REPLY
    v[i].fresh = RIGHT;
#else
    v[i].fresh = left;
#endif
    v[i].given = (term > v[i].given -> term : v[i].given)
}

#define EACH_VOTER(what) what(0) what(1) what(2)
#if RIGHT == 1
#define ARRIVES_AT(i) ARRIVES(i, 1)
#define COMES_BACK(i, term) ANSWERS(i, term, 1)
#else
#define ARRIVES_AT(i) ARRIVES(i, 1) ARRIVES(i, 2)
#define COMES_BACK(i, term) ANSWERS(i, term, 1) ANSWERS(i, term, 2)
#endif
#define ARRIVES(i, left)                                                                           \
    :: d_step { v[i].is_alive && (v[i].beats & BIT(left)) -> acknowledge(i, left) }
#define COMES_BACK_FROM(i)                                                                         \
    COMES_BACK(i, 0) COMES_BACK(i, 1) COMES_BACK(i, 2) COMES_BACK(i, 3)
#define ANSWERS(i, term, left)                                                                     \
    :: d_step {                                                                                    \
        !is_lost && (v[i].acks[term] & BIT(left)) && left >= v[i].fresh -> hear(i, left, term)     \
    }
#ifdef GRANT_AT_ONCE
#define MAY_GIVE_UP(i) v[i].is_alive
#else
#define MAY_GIVE_UP(i) (v[i].is_alive && v[i].patience == 0)
#endif
#define GIVES_UP(i) GIVES_UP_TERM(i, 1) GIVES_UP_TERM(i, 2) GIVES_UP_TERM(i, 3)
#define GIVES_UP_TERM(i, term)                                                                     \
    :: d_step { MAY_GIVE_UP(i) && term <= term_max && v[i].gave < term -> v[i].gave = term }

active proctype world()
{
    byte i;
    d_step {
        v[0].is_alive = true;
        v[1].is_alive = true;
        v[0].patience = PATIENCE;
        v[1].patience = PATIENCE
    }
    do
    :: d_step { tick(); i = 0 }
    /* The owner beats. */
    :: d_step {
        !is_lost ->
        for (i : 0 .. 2) {
            v[i].beats = (v[i].is_alive -> v[i].beats | BIT(RIGHT) : v[i].beats)
        }
        i = 0
    }
    /* A heartbeat arrives, and is acknowledged. */
    EACH_VOTER(ARRIVES_AT)
    /* An acknowledgement arrives. */
    EACH_VOTER(COMES_BACK_FROM)
    /* A voter gives up a term that was published, and tells a candidate. */
    EACH_VOTER(GIVES_UP)
    /* Voter 1 dies, and its agent is started again. */
    :: d_step {
        v[1].is_alive ->
        v[1].is_alive = false;
        v[1].beats = 0;
        v[NEW].is_alive = true;
        v[NEW].patience = PATIENCE
    }
    /* The record is created, without voters. */
    :: d_step {
        !was_created && !is_proposing && !is_lost ->
#ifdef VOTERS_AT_CREATION
        propose(3)
#else
        next_list = 0;
        next_term = 0;
        guard = 0;
        is_proposing = true
#endif
    }
    /* Another list: any that has three voters at least, or none. */
    :: atomic {
        was_created && !is_proposing && !is_lost && proposals < PROPOSALS ->
        if
        :: d_step { propose(0) }
        :: d_step { propose(3) }
        :: d_step { propose(5) }
        :: d_step { propose(6) }
        :: d_step { propose(7) }
        fi
    }
    /* The txn is carried out, and nobody is told. */
    :: d_step { is_proposing && record_revision == guard -> write(next_term, next_list) }
    /* So is the oldest one once more: it asks for no record to exist. */
    :: d_step {
        was_created && is_ended && record_revision == 0 && last_revision < 6 -> write(0, 0)
    }
    /* The txn is carried out or not, and the answer arrives. */
    :: d_step {
        is_proposing && !is_lost ->
        if
        :: record_revision != 0 && record_term == next_term && record_revision != guard -> confirm()
        :: record_revision == guard -> write(next_term, next_list); confirm()
        :: else -> is_lost = true
        fi
    }
    /* The watch tells that the record is gone. */
    :: d_step {
        current_revision != 0 && !is_lost && record_revision == 0 -> is_lost = true
    }
    /* A candidate has the grants. */
    :: d_step {
        !is_ended && record_revision != 0 &&
#ifdef NO_REVISION
        (MAY_END(record_list, record_term) || MAY_END(old_list, old_term)) ->
#else
        MAY_END(record_list, record_term) ->
#endif
        is_ended = true;
        record_revision = 0;
        record_term = 0;
        record_list = 0
    }
    :: is_ended && MAY_SPEAK -> assert(false)
    od
}
