/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* How the file is opened, and why:
 *
 * NOSYNC: nobody waits for the disk. What a process has committed lies in the host's page cache, so it
 * survives kill -9 of every httpd process and a restart of httpd. It does not survive the host: lmdbfile.c
 * throws away what an earlier start of the host wrote. Syncing each commit would cost milliseconds a login
 * for sessions that a reboot usually ends anyway. Where the host does not tell its starts apart, NOMETASYNC
 * keeps the file whole for the price of one fsync a write. Not WRITEMAP: a stray pointer anywhere in httpd
 * could write into the sessions, and a full disk would be a SIGBUS. NOTLS: a read lasts as long as its
 * transaction, not as its thread.
 *
 * The list of open environments is the process's only mutable state outside of a pool here. It exists because
 * closing one of two environments on the same file takes the POSIX locks of both away. */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <apr_strings.h>

#include "backend/lmdbenv.h"
#include "backend/lmdbfile.h"

#define READERS_MAX 2048 /* reads at the same time, over all processes */

typedef struct shared_env {
    lmdbenv env; /* first, so that the one is the other */
    dev_t device;
    ino_t inode;
    pid_t process;
    int users;
    struct shared_env *next;
} shared_env;

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static shared_env *list;

static void env_close(shared_env *shared)
{
    mdb_env_close(shared->env.env);
    latch_release(&shared->env.writing);
    free(shared);
}

/* An environment that came with a fork belongs to the parent; closing it here would end the parent's locks.
 */
static apr_status_t env_leave(void *data)
{
    shared_env *shared = data;
    shared_env **link = &list;
    if (shared->process != getpid())
        return APR_SUCCESS;
    pthread_mutex_lock(&list_mutex);
    if (--shared->users == 0) {
        while (*link && *link != shared)
            link = &(*link)->next;
        if (*link)
            *link = shared->next;
        env_close(shared);
    }
    pthread_mutex_unlock(&list_mutex);
    return APR_SUCCESS;
}

static int tables_open(lmdbenv *env)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (rc != MDB_SUCCESS)
        return rc;
    rc = mdb_dbi_open(txn, "records", MDB_CREATE, &env->records);
    if (rc == MDB_SUCCESS)
        rc = mdb_dbi_open(txn, "dues", MDB_CREATE, &env->dues);
    if (rc == MDB_SUCCESS)
        rc = mdb_dbi_open(txn, "counter", MDB_CREATE, &env->counter);
    if (rc == MDB_SUCCESS)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int measures_take(lmdbenv *env)
{
    MDB_stat pages;
    MDB_envinfo map;
    int rc = mdb_env_stat(env->env, &pages);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_info(env->env, &map);
    if (rc == MDB_SUCCESS) {
        env->page = pages.ms_psize;
        env->pages = map.me_mapsize / pages.ms_psize;
    }
    return rc;
}

/* Readers that were killed keep old pages from being used again, hence the check at each start. */
static int env_start(lmdbenv *env, const char *path, int64_t size, bool remembered)
{
    const unsigned flags =
        MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | (remembered ? MDB_NOSYNC : MDB_NOMETASYNC);
    int dead;
    int rc = mdb_env_set_mapsize(env->env, (size_t)size);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxreaders(env->env, READERS_MAX);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxdbs(env->env, 3);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(env->env, path, flags, 0600);
    if (rc == MDB_SUCCESS)
        rc = mdb_reader_check(env->env, &dead);
    if (rc == MDB_SUCCESS)
        rc = tables_open(env);
    return rc == MDB_SUCCESS ? measures_take(env) : rc;
}

static shared_env *env_known(const struct stat *facts)
{
    shared_env *shared = list;
    while (shared &&
           (shared->device != facts->st_dev || shared->inode != facts->st_ino || shared->process != getpid()))
        shared = shared->next;
    return shared;
}

static int env_make(const char *path, int64_t size, bool remembered, shared_env **made)
{
    shared_env *shared = calloc(1, sizeof(*shared));
    int rc = shared ? mdb_env_create(&shared->env.env) : ENOMEM;
    if (rc != MDB_SUCCESS) {
        free(shared);
        return rc;
    }
    latch_init(&shared->env.writing);
    rc = env_start(&shared->env, path, size, remembered);
    if (rc != MDB_SUCCESS) {
        env_close(shared);
        return rc;
    }
    shared->process = getpid();
    *made = shared;
    return MDB_SUCCESS;
}

/* Under the lock of the list. */
static int env_join(const char *path, int64_t size, bool remembered, shared_env **joined)
{
    struct stat facts;
    int rc;
    if (stat(path, &facts) != 0)
        return errno;
    *joined = env_known(&facts);
    if (*joined == NULL) {
        rc = env_make(path, size, remembered, joined);
        if (rc != MDB_SUCCESS)
            return rc;
        (*joined)->device = facts.st_dev;
        (*joined)->inode = facts.st_ino;
        (*joined)->next = list;
        list = *joined;
    }
    (*joined)->users++;
    return MDB_SUCCESS;
}

const char *lmdbenv_open(apr_pool_t *pool, const char *path, int64_t size, lmdbenv **env)
{
    const lmdbfile_owner whoever = {(uid_t)-1, (gid_t)-1};
    shared_env *shared = NULL;
    bool remembered;
    const char *problem = lmdbfile_prepare(pool, path, whoever, &remembered);
    int rc;
    if (problem)
        return problem;
    pthread_mutex_lock(&list_mutex);
    rc = env_join(path, size, remembered, &shared);
    pthread_mutex_unlock(&list_mutex);
    if (rc != MDB_SUCCESS)
        return apr_psprintf(pool, "cannot open the session store '%s': %s", path, mdb_strerror(rc));
    apr_pool_cleanup_register(pool, shared, env_leave, apr_pool_cleanup_null);
    *env = &shared->env;
    return NULL;
}
