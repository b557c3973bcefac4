/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What only the embedded store has: files and their owners, a ceiling, sweeping, and other processes that stop in the middle. What
 * any backend must do is in test_storecontract.c. */

#include "unit.h"

#include <grp.h>
#include <pthread.h>

#include <lmdb.h>

#include "backend/lmdbstore.h"
#include "storeserver.h"

/* A clock that the test sets. */
typedef struct test_clock {
    clock_port port;
    int64_t now;
} test_clock;

static int64_t test_wall(const clock_port *clock)
{
    return ((const test_clock *)clock)->now;
}

static test_clock *clock_make(apr_pool_t *pool, int64_t now)
{
    test_clock *clock = apr_palloc(pool, sizeof(*clock));
    clock->port = *hostclock_port();
    clock->port.wall = test_wall;
    clock->now = now;
    return clock;
}

static store_url *url_of(apr_pool_t *pool, const char *path, int64_t megabytes)
{
    store_url *url = apr_pcalloc(pool, sizeof(*url));
    url->scheme = STOREURL_LMDB;
    url->path = path;
    url->size = megabytes * 1024 * 1024;
    return url;
}

static store_port *store_at(apr_pool_t *pool, const char *path, int64_t megabytes, const clock_port *clock)
{
    store_port *store = NULL;
    const char *problem = lmdbstore_open(pool, url_of(pool, path, megabytes), clock, &store);
    if (problem)
        print_error("%s\n", problem);
    assert_null(problem);
    return store;
}

static const char *path_in(apr_pool_t *pool, const char *directory)
{
    return apr_pstrcat(pool, directory, "/store", NULL);
}

static text_t zeros(apr_pool_t *pool, size_t len)
{
    return (text_t){apr_pcalloc(pool, len), len};
}

static void is_full_for_new_records_first(void **state)
{
    static const size_t sizes[] = {100, 1500, 3000, 9000, 40000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        apr_pool_t *pool;
        store_port *store;
        store_item item;
        text_t value;
        int count = 0;
        apr_pool_create(&pool, unit_pool(state));
        store = store_at(pool, path_in(pool, directory_make(pool)), 2, hostclock_port());
        value = zeros(pool, sizes[i]);
        while (count < 100000 && store->add(store, key_of(pool, "fill", count), value, 600) == STORE_OK)
            count++;
        assert_true((size_t)count * sizes[i] > (size_t)400 * 1024 && count < 100000);
        assert_answer(store->add(store, key_of(pool, "fill", count), value, 600), STORE_FULL);
        assert_answer(store->put(store, key_of(pool, "fill", count), value, 600), STORE_FULL);
        assert_answer(store->get(store, key_of(pool, "fill", count), pool, &item), STORE_MISS);
        for (int j = 0; j < count; j++) {
            const char *key = key_of(pool, "fill", j);
            assert_answer(store->get(store, key, pool, &item), STORE_OK);
            assert_answer(store->cas(store, key, value, 600, item.version), STORE_OK);
            assert_answer(store->touch(store, key, 500), STORE_OK);
        }
        for (int j = 0; j < count; j++)
            assert_answer(store->drop(store, key_of(pool, "fill", j)), STORE_OK);
        for (int j = 0; j < count; j++)
            assert_answer(store->add(store, key_of(pool, "again", j), value, 600), STORE_OK);
        apr_pool_destroy(pool);
    }
}

/* Also when all of the records grow until nothing fits any more, each can still be dropped. */
static void can_be_emptied_however_full(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    store_port *store = store_at(pool, path_in(pool, directory_make(pool)), 1, hostclock_port());
    store_item item;
    int count = 0;
    while (store->add(store, key_of(pool, "grow", count), zeros(pool, 1000), 600) == STORE_OK)
        count++;
    for (size_t len = 1000; len < 9000; len += 500) {
        for (int i = 0; i < count; i++) {
            const char *key = key_of(pool, "grow", i);
            store_rc rc;
            assert_answer(store->get(store, key, pool, &item), STORE_OK);
            rc = store->cas(store, key, zeros(pool, len), 600, item.version);
            assert_true(rc == STORE_OK || rc == STORE_FULL);
        }
    }
    for (int i = 0; i < count; i++) {
        assert_answer(store->touch(store, key_of(pool, "grow", i), 60), STORE_OK);
        assert_answer(store->drop(store, key_of(pool, "grow", i)), STORE_OK);
    }
    assert_answer(store->add(store, key_of(pool, "grow", 0), zeros(pool, 1000), 600), STORE_OK);
}

static void gives_the_room_of_expired_records_to_new_ones(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    test_clock *clock = clock_make(pool, 1000000);
    store_port *store = store_at(pool, path_in(pool, directory_make(pool)), 2, &clock->port);
    text_t value = zeros(pool, 2500);
    store_item item;
    int count = 0;
    while (store->add(store, key_of(pool, "old", count), value, 600) == STORE_OK)
        count++;
    clock->now += 600;
    assert_answer(store->get(store, key_of(pool, "old", 0), pool, &item), STORE_OK);
    assert_answer(store->add(store, key_of(pool, "new", 0), value, 600), STORE_FULL);
    clock->now += 1;
    assert_answer(store->get(store, key_of(pool, "old", 0), pool, &item), STORE_MISS);
    for (int i = 0; i < count; i++)
        assert_answer(store->add(store, key_of(pool, "new", i), value, 600), STORE_OK);
}

/* Every write takes a few of them along, so a busy store never piles them up. */
static void sweeps_as_it_writes(void **state)
{
    enum { ROUNDS = 300 };
    apr_pool_t *pool = unit_pool(state);
    test_clock *clock = clock_make(pool, 1000000);
    const char *path = path_in(pool, directory_make(pool));
    store_port *store = store_at(pool, path, 16, &clock->port);
    struct stat facts;
    for (int i = 0; i < ROUNDS * 20; i++) {
        assert_answer(store->add(store, key_of(pool, "swept", i), zeros(pool, 3000), 10), STORE_OK);
        if (i % 20 == 19)
            clock->now++;
    }
    assert_int_equal(stat(path, &facts), 0);
    assert_true(facts.st_size < (off_t)4 * 1024 * 1024);
}

/* 0600, and removed with the rest by whoever removes the directory. */
static void makes_files_for_the_owner_only(void **state)
{
    static const char *const names[] = {"", "-lock", "-boot"};
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    mode_t mask = umask(0);
    assert_null(lmdbstore_prepare(pool, url_of(pool, path, 1), (uid_t)-1, (gid_t)-1));
    store_at(pool, path, 1, hostclock_port());
    umask(mask);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stat facts;
        assert_int_equal(stat(apr_pstrcat(pool, path, names[i], NULL), &facts), 0);
        assert_int_equal(facts.st_mode & 07777, 0600);
    }
}

static void file_write(const char *path, const char *content)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), strlen(content));
    close(file);
}

/* The parent prepares as root in a directory that children cannot write; they open, and nobody else does. */
static void lets_children_of_another_user_in(void **state)
{
    const uid_t user = 65534;
    apr_pool_t *pool = unit_pool(state);
    const char *directory = directory_make(pool);
    const char *path = path_in(pool, directory);
    int status;
    pid_t child;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(directory, 0755), 0);
    for (int i = 0; i < 2; i++)
        assert_null(lmdbstore_prepare(pool, url_of(pool, path, 1), user, user));
    child = fork();
    if (child == 0) {
        store_port *store = NULL;
        const char *problem;
        if (setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0)
            _exit(2);
        problem = lmdbstore_open(pool, url_of(pool, path, 1), hostclock_port(), &store);
        if (problem)
            print_error("%s\n", problem);
        _exit(problem == NULL && store->add(store, key_of(pool, "user", 0), TEXT("v"), 60) == STORE_OK ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_null(lmdbstore_prepare(pool, url_of(pool, path, 1), user, user));
}

static void assert_says(const char *problem, const char *part, const char *path)
{
    assert_non_null(problem);
    if (strstr(problem, part) == NULL || strstr(problem, path) == NULL)
        print_error("got: %s\n", problem);
    assert_non_null(strstr(problem, part));
    assert_non_null(strstr(problem, path));
}

/* It may run as root: what is not the store's must stay as it is. */
static void refuses_files_of_others(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *directory = directory_make(pool);
    const char *foreign = apr_pstrcat(pool, directory, "/foreign", NULL);
    const char *link_path = apr_pstrcat(pool, directory, "/link", NULL);
    const char *missing = apr_pstrcat(pool, directory, "/no/such/store", NULL);
    const char *twin = apr_pstrcat(pool, directory, "/twin", NULL);
    struct stat facts;
    file_write(foreign, "127.0.0.1 localhost\n");
    assert_says(lmdbstore_prepare(pool, url_of(pool, foreign, 1), 65534, 65534), "not a session store", foreign);
    assert_int_equal(stat(foreign, &facts), 0);
    assert_int_equal(facts.st_uid, geteuid());
    assert_int_equal(facts.st_size, 20);
    assert_int_equal(symlink("foreign", link_path), 0);
    assert_says(lmdbstore_prepare(pool, url_of(pool, link_path, 1), 65534, 65534), "link", link_path);
    assert_says(lmdbstore_prepare(pool, url_of(pool, directory, 1), 65534, 65534), "is a directory", directory);
    assert_says(lmdbstore_prepare(pool, url_of(pool, missing, 1), 65534, 65534), "No such file", missing);
    file_write(twin, "");
    assert_int_equal(link(twin, apr_pstrcat(pool, directory, "/twin2", NULL)), 0);
    assert_says(lmdbstore_prepare(pool, url_of(pool, twin, 1), 65534, 65534), "plain file with one name", twin);
    assert_int_equal(stat(twin, &facts), 0);
    assert_int_equal(facts.st_uid, geteuid());
}

static void says_why_it_cannot_open(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    store_port *store;
    store_url nowhere = {.scheme = STOREURL_LMDB};
    assert_null(lmdbstore_prepare(pool, url_of(pool, path, 1), (uid_t)-1, (gid_t)-1));
    file_write(path, "this is not LMDB, this is a text that is long enough to be looked at as the first page of a file; "
                     "it goes on and on until there is enough of it for two headers and a meta page or so");
    assert_says(lmdbstore_open(pool, url_of(pool, path, 1), hostclock_port(), &store), "cannot open", path);
    assert_non_null(lmdbstore_open(pool, &nowhere, hostclock_port(), &store));
}

/* What was written before the host was started the last time may be torn, so it is not even looked at. */
static void starts_anew_after_a_reboot(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    const char *boot = apr_pstrcat(pool, path, "-boot", NULL);
    const char *key = key_of(pool, "boot", 0);
    apr_pool_t *life;
    store_port *store;
    store_item old;
    store_item item;
    apr_pool_create(&life, pool);
    store = store_at(life, path, 1, hostclock_port());
    assert_answer(store->put(store, key, TEXT("v"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &old), STORE_OK);
    apr_pool_destroy(life);
    apr_pool_create(&life, pool);
    store = store_at(life, path, 1, hostclock_port());
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_true(item.version == old.version);
    apr_pool_destroy(life);
    file_write(boot, "00000000-1111-2222-3333-444444444444\n");
    rest_ms(1100);
    assert_null(lmdbstore_prepare(pool, url_of(pool, path, 1), (uid_t)-1, (gid_t)-1));
    store = store_at(pool, path, 1, hostclock_port());
    assert_answer(store->get(store, key, pool, &item), STORE_MISS);
    assert_answer(store->add(store, key, TEXT("v"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_true(item.version > old.version);
}

/* Two virtual hosts may name the same file; LMDB must not open it twice in a process. */
static void shares_one_file_in_a_process(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *directory = directory_make(pool);
    const char *path = path_in(pool, directory);
    const char *roundabout = apr_pstrcat(pool, directory, "/./store", NULL);
    apr_pool_t *lives[3];
    store_port *stores[3];
    store_item item;
    const char *key = key_of(pool, "one", 0);
    int status;
    pid_t child;
    for (int i = 0; i < 3; i++) {
        apr_pool_create(&lives[i], pool);
        stores[i] = store_at(lives[i], i == 1 ? roundabout : path, 4, hostclock_port());
    }
    assert_answer(stores[0]->put(stores[0], key, TEXT("v"), 60), STORE_OK);
    apr_pool_destroy(lives[0]);
    assert_answer(stores[1]->get(stores[1], key, pool, &item), STORE_OK);
    child = fork();
    if (child == 0) {
        store_port *own = store_at(pool, path, 4, hostclock_port());
        _exit(own->put(own, key, TEXT("child"), 60) == STORE_OK ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    apr_pool_destroy(lives[1]);
    assert_answer(stores[2]->get(stores[2], key, pool, &item), STORE_OK);
    assert_text(item.value, "child");
    assert_answer(stores[2]->put(stores[2], key, TEXT("w"), 60), STORE_OK);
}

/* In a child: begins a transaction and takes the signal in the middle of it. */
static void die_within(const char *path, unsigned flags, int signal_number)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mdb_env_create(&env);
    mdb_env_set_maxdbs(env, 3);
    mdb_env_set_mapsize(env, 2 * 1024 * 1024);
    if (mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600) == 0 && mdb_txn_begin(env, NULL, flags, &txn) == 0)
        kill(getpid(), signal_number);
    _exit(1);
}

/* Readers that died hold old pages until somebody notices: the file must not fill up because of them. */
static void survives_readers_that_die(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    store_port *store = store_at(pool, path, 2, hostclock_port());
    const char *key = key_of(pool, "reader", 0);
    store_item item;
    assert_answer(store->put(store, key, zeros(pool, 50000), 60), STORE_OK);
    for (int i = 0; i < 3; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            die_within(path, MDB_RDONLY, SIGKILL);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        for (int j = 0; j < 200; j++) {
            assert_answer(store->get(store, key, pool, &item), STORE_OK);
            assert_answer(store->cas(store, key, zeros(pool, 50000), 60, item.version), STORE_OK);
        }
    }
}

typedef struct waiter {
    store_port *store;
    const char *key;
    store_rc answer;
    int64_t took;
} waiter;

static void *put_and_measure(void *data)
{
    waiter *self = data;
    int64_t start = now_ms();
    self->answer = self->store->put(self->store, self->key, TEXT("v"), 60);
    self->took = now_ms() - start;
    return NULL;
}

/* A writer that is stopped, not killed, in the middle: readers go on, of the writers one waits, the others are DOWN in time; and when
 * it is killed all goes on. */
static void outlasts_a_writer_that_stops(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    const char *key = key_of(pool, "stop", 0);
    store_port *store;
    store_item item;
    pthread_t threads[4];
    waiter waiters[4];
    int downs = 0;
    int status;
    pid_t child;
    store = store_at(pool, path, 2, hostclock_port());
    assert_answer(store->put(store, key, TEXT("before"), 60), STORE_OK);
    child = fork();
    if (child == 0)
        die_within(path, 0, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    assert_true(WIFSTOPPED(status));
    for (int i = 0; i < 4; i++) {
        waiters[i] = (waiter){store, key, STORE_OK, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_measure, &waiters[i]), 0);
    }
    rest_ms(LMDBSTORE_WAIT_MS + 500);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "before");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        if (waiters[i].answer == STORE_DOWN) {
            assert_true(waiters[i].took >= LMDBSTORE_WAIT_MS && waiters[i].took < LMDBSTORE_WAIT_MS + 450);
            downs++;
        }
    }
    assert_int_equal(downs, 3);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(is_full_for_new_records_first),
        UNIT_TEST(can_be_emptied_however_full),
        UNIT_TEST(gives_the_room_of_expired_records_to_new_ones),
        UNIT_TEST(sweeps_as_it_writes),
        UNIT_TEST(makes_files_for_the_owner_only),
        UNIT_TEST(lets_children_of_another_user_in),
        UNIT_TEST(refuses_files_of_others),
        UNIT_TEST(says_why_it_cannot_open),
        UNIT_TEST(starts_anew_after_a_reboot),
        UNIT_TEST(shares_one_file_in_a_process),
        UNIT_TEST(survives_readers_that_die),
        UNIT_TEST(outlasts_a_writer_that_stops),
    };
    return UNIT_MAIN(tests);
}
