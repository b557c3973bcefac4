/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The files of the embedded store: made for the right user, never somebody else's, and not believed after a
 * reboot. */

#include "unit.h"

#include <grp.h>

#include "lmdbplace.h"

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
    if (geteuid() != 0) {
        print_message("only root can give files to another user\n");
        skip();
    }
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
        _exit(problem == NULL && store->add(store, key_of(pool, "user", 0), TEXT("v"), 60) == STORE_OK ? 0
                                                                                                       : 1);
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
    assert_says(lmdbstore_prepare(pool, url_of(pool, foreign, 1), 65534, 65534), "not a session store",
                foreign);
    assert_int_equal(stat(foreign, &facts), 0);
    assert_int_equal(facts.st_uid, geteuid());
    assert_int_equal(facts.st_size, 20);
    assert_int_equal(symlink("foreign", link_path), 0);
    assert_says(lmdbstore_prepare(pool, url_of(pool, link_path, 1), 65534, 65534), "link", link_path);
    assert_says(lmdbstore_prepare(pool, url_of(pool, directory, 1), 65534, 65534), "is a directory",
                directory);
    assert_says(lmdbstore_prepare(pool, url_of(pool, missing, 1), 65534, 65534), "No such file", missing);
    file_write(twin, "");
    assert_int_equal(link(twin, apr_pstrcat(pool, directory, "/twin2", NULL)), 0);
    assert_says(lmdbstore_prepare(pool, url_of(pool, twin, 1), 65534, 65534), "plain file with one name",
                twin);
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
    file_write(
        path,
        "this is not LMDB, this is a text that is long enough to be looked at as the first page of a file; "
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(makes_files_for_the_owner_only), UNIT_TEST(lets_children_of_another_user_in),
        UNIT_TEST(refuses_files_of_others),        UNIT_TEST(says_why_it_cannot_open),
        UNIT_TEST(starts_anew_after_a_reboot),
    };
    return UNIT_MAIN(tests);
}
