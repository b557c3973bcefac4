/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The near cache where others read and write at the same time: in the middle of a call, in other processes,
 * in other threads. */

#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "nearcase.h"

/* What somebody does while somebody else is in a call. */
typedef struct meanwhile {
    nearcase *world;
    store_port *door; /* NULL: past all caches, as another host does it */
    fakestore_verb verb;
    const char *key;
    uint64_t version;
    bool then_truth; /* and then reads the truth through `door` */
} meanwhile;

static void act(void *data)
{
    const meanwhile *other = data;
    text_t value;
    if (!other->then_truth)
        (void)nearcase_write(other->door, other->verb, other->key, other->version);
    else if (other->verb == FAKESTORE_DROP)
        fakestore_wipe(&other->world->store);
    else
        fakestore_poke(&other->world->store, other->key, TEXT("new"));
    if (other->then_truth)
        (void)nearcase_read(other->door, other->world->pool, other->key, &value);
}

static void assert_now(nearcase *world, store_port *door, const char *key, const char *wanted)
{
    text_t value;
    assert_answer(nearcase_read(door, world->pool, key, &value), wanted ? STORE_OK : STORE_MISS);
    if (wanted)
        assert_texts(value, text_of(wanted), "what was written in the middle");
}

/* The reader has the old value in its hands already when the writer is done. It may answer with it, as it
 * began before; it may not leave it behind. */
static void a_write_in_the_middle_of_a_get(void **state)
{
    static const struct {
        fakestore_verb verb;
        const char *value;
    } cases[] = {{FAKESTORE_PUT, "new"}, {FAKESTORE_CAS, "new"}, {FAKESTORE_DROP, NULL}};
    for (size_t i = 0; i < COUNT(cases) * 16; i++) {
        nearcase *world = nearcase_make(unit_pool(state));
        if (i / 8 % 2)
            world->host = NULL;
        nearcache *readers = nearcase_cache(world, 60000, 60000);
        /* another process, where they share counters, and the same one where they do not */
        nearcache *writers = i % 2 && world->host ? nearcase_cache(world, 60000, 60000) : readers;
        meanwhile other = {.world = world, .verb = cases[i / 16].verb};
        store_port *reader = i / 2 % 2 ? nearcache_truth(readers) : nearcache_port(readers);
        store_item item;
        text_t value;
        other.door = i / 4 % 2 ? nearcache_truth(writers) : nearcache_port(writers);
        other.key = key_of(world->pool, "middle", (int)i);
        fakestore_poke(&world->store, other.key, TEXT("old"));
        assert_answer(world->port.get(&world->port, other.key, world->pool, &item), STORE_OK);
        other.version = item.version;
        world->between = act;
        world->data = &other;
        assert_answer(nearcase_read(reader, world->pool, other.key, &value), STORE_OK);
        assert_text(value, "old");
        assert_int_equal(nearcache_used(readers).entries, 0);
        assert_now(world, nearcache_port(readers), other.key, cases[i / 16].value);
        assert_now(world, nearcache_port(writers), other.key, cases[i / 16].value);
    }
}

typedef struct watcher {
    nearcase *world;
    nearcache *caches[2];
    const char *key;
} watcher;

static void look(void *data, fakestore_verb verb, const char *key)
{
    const watcher *self = data;
    (void)key;
    if (verb == FAKESTORE_GET)
        return;
    (void)nearcase_asked(self->world);
    for (int i = 0; i < 2; i++)
        assert_now(self->world, nearcache_port(self->caches[i]), self->key, "old");
    assert_int_equal(nearcase_asked(self->world), 2); /* no copy is used: this writer may be killed here */
}

/* Readers that come between the beginning of a write and its happening see the old value, and keep it. */
static void a_get_in_the_middle_of_a_write(void **state)
{
    static const struct {
        fakestore_verb verb;
        const char *value;
    } cases[] = {{FAKESTORE_PUT, "new"}, {FAKESTORE_CAS, "new"}, {FAKESTORE_DROP, NULL}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        nearcase *world = nearcase_make(unit_pool(state));
        watcher self = {.world = world, .key = key_of(world->pool, "watched", 0)};
        store_item item;
        fakestore_poke(&world->store, self.key, TEXT("old"));
        for (int j = 0; j < 2; j++) {
            self.caches[j] = nearcase_cache(world, 60000, 60000);
            assert_now(world, nearcache_port(self.caches[j]), self.key, "old");
        }
        store_port *near = nearcache_port(self.caches[0]);
        assert_answer(near->get(near, self.key, world->pool, &item), STORE_OK);
        world->store.before = look;
        world->store.before_data = &self;
        assert_answer(nearcase_write(near, cases[i].verb, self.key, item.version), STORE_OK);
        world->store.before = NULL;
        for (int j = 0; j < 2; j++)
            assert_now(world, nearcache_port(self.caches[j]), self.key, cases[i].value);
    }
}

/* A slow answer that comes after another thread has seen what another host wrote. */
static void an_older_answer_comes_late(void **state)
{
    for (int i = 0; i < 8; i++) {
        nearcase *world = nearcase_make(unit_pool(state));
        nearcache *cache = nearcase_cache(world, 1000, 1000);
        fakestore_verb verb = i % 2 ? FAKESTORE_DROP : FAKESTORE_PUT;
        meanwhile other = {world, nearcache_truth(cache), verb, key_of(world->pool, "late", i), 0, true};
        store_port *reader = i / 2 % 2 ? nearcache_truth(cache) : nearcache_port(cache);
        text_t value;
        fakestore_poke(&world->store, other.key, TEXT("old"));
        if (i / 4 % 2) {
            assert_reads(world, reader, other.key, "old");
            fakes_clock_pass_ms(&world->clock, 1000);
        }
        world->between = act;
        world->data = &other;
        assert_answer(nearcase_read(reader, world->pool, other.key, &value), STORE_OK);
        assert_text(value, "old");
        assert_now(world, nearcache_port(cache), other.key, verb == FAKESTORE_DROP ? NULL : "new");
    }
}

/* Threads that ask for the same key at once all get the same; the first answer is kept. */
static void answers_that_agree_are_kept(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache *cache = nearcase_cache(world, 1000, 0);
    meanwhile other = {world, nearcache_truth(cache), FAKESTORE_PUT, key_of(world->pool, "same", 0), 0, true};
    fakestore_poke(&world->store, other.key, TEXT("old"));
    fakestore_poke(&world->store, other.key, TEXT("new"));
    world->store.version--; /* so that the write in the middle writes the same version again */
    world->between = act;
    world->data = &other;
    assert_reads(world, nearcache_port(cache), other.key, "new");
    assert_int_equal(nearcache_used(cache).entries, 1);
    (void)nearcase_asked(world);
    assert_reads(world, nearcache_port(cache), other.key, "new");
    assert_int_equal(nearcase_asked(world), 0);
}

/* Two processes over one file. They speak by single bytes. */
typedef struct channel {
    int up[2], down[2];
} channel;

static void tell(const int ends[2])
{
    char byte = 0;
    if (write(ends[1], &byte, 1) != 1)
        _exit(90);
}

static void await(const int ends[2])
{
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    char byte;
    if (poll(&end, 1, 20000) != 1 || read(ends[0], &byte, 1) != 1)
        _exit(91);
}

static nearcache *child_cache(apr_pool_t *pool, const char *directory, generations *host)
{
    nearcache_terms terms = {
        .inner = nearcase_lmdb(pool, directory), .clock = hostclock_port(), .generations = host};
    terms.fresh_ms = terms.grace_ms = 60000;
    terms.entries_max = 1000;
    terms.bytes_max = (size_t)1024 * 1024;
    return nearcache_new(pool, &terms);
}

/* In a process of its own; the exit code tells which of the answers were the new ones. */
static void read_along(const char *directory, generations *host, const char *key, const channel *with)
{
    apr_pool_t *pool;
    text_t value;
    int code = 0;
    apr_pool_create(&pool, NULL);
    store_port *near = nearcache_port(child_cache(pool, directory, host));
    if (nearcase_read(near, pool, key, &value) != STORE_OK || !text_equal(value, TEXT("old")))
        _exit(92);
    tell(with->up);
    await(with->down); /* now it is put */
    if (nearcase_read(near, pool, key, &value) == STORE_OK && text_equal(value, TEXT("new")))
        code |= 1;
    tell(with->up);
    await(with->down); /* now it is dropped */
    if (nearcase_read(near, pool, key, &value) == STORE_MISS)
        code |= 2;
    apr_pool_destroy(pool);
    _exit(code);
}

static void write_along(const char *directory, generations *host, const char *key, const channel *with)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    store_port *near = nearcache_port(child_cache(pool, directory, host));
    await(with->down); /* both have to begin with the old value */
    store_rc put = near->put(near, key, TEXT("new"), 600);
    tell(with->up);
    await(with->down);
    store_rc drop = near->drop(near, key);
    apr_pool_destroy(pool);
    tell(with->up);
    _exit(put == STORE_OK && drop == STORE_OK ? 0 : 93);
}

static channel channel_make(void)
{
    channel made;
    assert_int_equal(pipe(made.up), 0);
    assert_int_equal(pipe(made.down), 0);
    return made;
}

static int exit_of(pid_t pid)
{
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void pass(const channel *from, const channel *to)
{
    await(from->up);
    tell(to->down);
}

static int processes(apr_pool_t *pool, generations *host)
{
    const char *directory = directory_make(pool);
    const char *key = key_of(pool, "forked", 0);
    channel reader = channel_make();
    channel writer = channel_make();
    apr_pool_t *first;
    apr_pool_create(&first, pool);
    store_port *store = nearcase_lmdb(first, directory);
    assert_answer(store->put(store, key, TEXT("old"), 600), STORE_OK);
    apr_pool_destroy(first);
    pid_t reading = fork();
    if (reading == 0)
        read_along(directory, host, key, &reader);
    pid_t writing = fork();
    if (writing == 0)
        write_along(directory, host, key, &writer);
    for (int i = 0; i < 2; i++) {
        pass(&reader, &writer);
        pass(&writer, &reader);
    }
    assert_int_equal(exit_of(writing), 0);
    for (int i = 0; i < 2; i++) {
        close(reader.up[i]);
        close(reader.down[i]);
        close(writer.up[i]);
        close(writer.down[i]);
    }
    return exit_of(reading);
}

static void processes_of_a_host_see_writes_at_once(void **state)
{
    assert_int_equal(processes(unit_pool(state), generations_new(unit_pool(state), GENERATIONS_USUAL)), 3);
    /* without counters they see neither: it is not the store that told them */
    assert_int_equal(processes(unit_pool(state), NULL), 0);
}

enum { KEYS = 8, ROUNDS = 3000, CACHES = 2 };

typedef struct crowd {
    nearcache *caches[CACHES];
    const char *keys[KEYS];
    atomic_long written[KEYS]; /* the number of the last write that has returned */
    atomic_int failures;
    nearcase *world;
} crowd;

typedef struct member {
    crowd *all;
    int self;
} member;

/* The number that the key holds; dropped is -1. */
static long number_of(crowd *all, store_port *door, apr_pool_t *pool, int key)
{
    store_item item;
    store_rc rc = door->get(door, all->keys[key], pool, &item);
    if (rc == STORE_MISS)
        return -1;
    if (rc != STORE_OK)
        atomic_fetch_add(&all->failures, 1);
    return rc == STORE_OK ? strtol(item.value.at, NULL, 10) : -2;
}

/* Each key has one writer, which counts up and now and then drops; odd numbers are written through the truth.
 * Everybody must see at least what was written before he asked. */
static void *mingle(void *data)
{
    member *me = data;
    crowd *all = me->all;
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    for (long i = 1; i <= ROUNDS; i++) {
        int key = (int)((i * 7 + me->self) % KEYS);
        nearcache *cache = all->caches[(i + me->self) % CACHES];
        apr_pool_clear(pool);
        long before = atomic_load(&all->written[key]);
        long seen = number_of(all, i % 5 ? nearcache_port(cache) : nearcache_truth(cache), pool, key);
        if (seen != -1 && seen < before)
            atomic_fetch_add(&all->failures, 1);
        if (i % 16 != 0)
            continue;
        store_port *door = i % 32 ? nearcache_truth(cache) : nearcache_port(cache);
        if (i % 128 == 0 && door->drop(door, all->keys[me->self]) == STORE_DOWN)
            atomic_fetch_add(&all->failures, 1);
        if (i % 128 == 0 &&
            number_of(all, nearcache_port(all->caches[i / 128 % CACHES]), pool, me->self) != -1)
            atomic_fetch_add(&all->failures, 1);
        if (door->put(door, all->keys[me->self], text_format(pool, "%ld", i), 600) != STORE_OK)
            atomic_fetch_add(&all->failures, 1);
        atomic_store(&all->written[me->self], i);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void threads_see_what_was_written(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    nearcase *world = nearcase_make(pool);
    crowd *all = apr_pcalloc(pool, sizeof(*all));
    pthread_t threads[KEYS];
    member members[KEYS];
    nearcache_terms terms = nearcase_terms(world, 3600000, 0);
    all->world = world;
    terms.entries_max = 6; /* less than there are, so that some are pushed out */
    for (int i = 0; i < CACHES; i++)
        all->caches[i] = nearcache_new(pool, &terms);
    for (int i = 0; i < KEYS; i++) {
        all->keys[i] = key_of(pool, "mingled", i);
        fakestore_poke(&world->store, all->keys[i], TEXT("0"));
    }
    for (int i = 0; i < KEYS; i++) {
        members[i] = (member){all, i};
        assert_int_equal(pthread_create(&threads[i], NULL, mingle, &members[i]), 0);
    }
    for (int i = 0; i < KEYS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&all->failures), 0);
    assert_true(world->store.calls[FAKESTORE_GET] < KEYS * ROUNDS * 9 / 10); /* some were hits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_write_in_the_middle_of_a_get),
        UNIT_TEST(a_get_in_the_middle_of_a_write),
        UNIT_TEST(an_older_answer_comes_late),
        UNIT_TEST(answers_that_agree_are_kept),
        UNIT_TEST(processes_of_a_host_see_writes_at_once),
        UNIT_TEST(threads_see_what_was_written),
    };
    return UNIT_MAIN(tests);
}
