/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef STORESERVER_H
#define STORESERVER_H

/* What the tests of the stores share: a temporary directory, a memcached of their own, keys, and time.
 * Include unit.h first. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "backend/hostclock.h"
#include "backend/storeurl.h"
#include "port/store.h"

/* Patience where only a broken store would need it: the machine that runs the tests may be busy. */
#define PATIENT "?timeout=4s"

static inline int64_t now_ms(void)
{
    return hostclock_port()->steady(hostclock_port());
}

static inline int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void rest_ms(int64_t milliseconds)
{
    hostclock_port()->rest(hostclock_port(), milliseconds);
}

/* A key of the contract's length with a readable beginning. */
static inline const char *key_of(apr_pool_t *pool, const char *name, int number)
{
    char *key = apr_psprintf(pool, "%s-%d_", name, number);
    char *full = apr_pcalloc(pool, STORE_KEY_LEN + 1);
    memset(full, 'x', STORE_KEY_LEN);
    memcpy(full, key, strlen(key));
    return full;
}

static inline apr_status_t directory_remove(void *path)
{
    apr_pool_t *pool = NULL;
    apr_dir_t *directory = NULL;
    apr_finfo_t entry;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return APR_EGENERAL;
    if (apr_dir_open(&directory, path, pool) == APR_SUCCESS) {
        while (apr_dir_read(&entry, APR_FINFO_NAME, directory) == APR_SUCCESS)
            if (strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0)
                unlink(apr_pstrcat(pool, path, "/", entry.name, NULL));
        apr_dir_close(directory);
    }
    rmdir(path);
    apr_pool_destroy(pool);
    return APR_SUCCESS;
}

/* A directory that goes with the pool. */
static inline const char *directory_make(apr_pool_t *pool)
{
    char *path = apr_pstrdup(pool, "/tmp/ssostore-XXXXXX");
    assert_non_null(mkdtemp(path));
    apr_pool_cleanup_register(pool, path, directory_remove, apr_pool_cleanup_null);
    return path;
}

typedef struct server {
    pid_t pid;
    int port;
    const char *path;   /* of the unix socket, or NULL */
    const char **extra; /* further arguments, ends with NULL */
} server;

static inline int listener_make(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int one = 1;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(file >= 0);
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    address.sin_port = htons((uint16_t)*port);
    assert_int_equal(bind(file, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(file, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return file;
}

static inline int port_free(void)
{
    int port = 0;
    close(listener_make(&port));
    return port;
}

/* A connected socket, or -1. */
static inline int server_connect(const server *memcached)
{
    struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    int file = socket(memcached->path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc;
    tcp.sin_port = htons((uint16_t)memcached->port);
    if (memcached->path)
        apr_cpystrn(local.sun_path, memcached->path, sizeof(local.sun_path));
    rc = memcached->path ? connect(file, (struct sockaddr *)&local, sizeof(local))
                         : connect(file, (struct sockaddr *)&tcp, sizeof(tcp));
    if (rc == 0)
        return file;
    close(file);
    return -1;
}

static inline void server_start(server *memcached)
{
    const char *arguments[24];
    int count = 0;
    char port[16];
    snprintf(port, sizeof(port), "%d", memcached->port);
    arguments[count++] = "memcached";
    arguments[count++] = "-U";
    arguments[count++] = "0";
    if (memcached->path) {
        arguments[count++] = "-s";
        arguments[count++] = memcached->path;
    } else {
        arguments[count++] = "-l";
        arguments[count++] = "127.0.0.1";
        arguments[count++] = "-p";
        arguments[count++] = port;
    }
    if (geteuid() == 0) {
        arguments[count++] = "-u";
        arguments[count++] = "root";
    }
    for (const char **extra = memcached->extra; extra && *extra; extra++)
        arguments[count++] = *extra;
    arguments[count] = NULL;
    memcached->pid = fork();
    assert_true(memcached->pid >= 0);
    if (memcached->pid == 0) {
        int nothing = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(nothing, 2);
        execvp("memcached", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    for (int i = 0; i < 500; i++) {
        int file = server_connect(memcached);
        if (file >= 0) {
            close(file);
            return;
        }
        rest_ms(10);
    }
    fail_msg("memcached did not start");
}

static inline void server_stop(server *memcached)
{
    int status;
    if (memcached->pid <= 0)
        return;
    kill(memcached->pid, SIGKILL);
    waitpid(memcached->pid, &status, 0);
    memcached->pid = 0;
}

/* Stopped when this returns, and not a moment later. */
static inline void server_pause(const server *memcached)
{
    int status;
    kill(memcached->pid, SIGSTOP);
    waitpid(memcached->pid, &status, WUNTRACED);
}

static inline apr_status_t server_end(void *data)
{
    server_stop(data);
    return APR_SUCCESS;
}

/* A memcached on a free port, or on a socket in the directory; killed with the pool. */
static inline server *server_make(apr_pool_t *pool, const char *directory, const char **extra)
{
    server *memcached = apr_pcalloc(pool, sizeof(*memcached));
    memcached->extra = extra;
    if (directory)
        memcached->path = apr_pstrcat(pool, directory, "/mc.sock", NULL);
    else
        memcached->port = port_free();
    server_start(memcached);
    apr_pool_cleanup_register(pool, memcached, server_end, apr_pool_cleanup_null);
    return memcached;
}

static inline const char *server_url(apr_pool_t *pool, const server *memcached, const char *query)
{
    if (memcached->path)
        return apr_pstrcat(pool, "memcached://", memcached->path, query, NULL);
    return apr_psprintf(pool, "memcached://127.0.0.1:%d%s", memcached->port, query);
}

/* Is the answer the wanted one? Prints both when it is not. */
static inline bool answered(store_rc got, store_rc wanted)
{
    static const char *const names[] = {"OK", "MISS", "CLASH", "FULL", "DOWN"};
    if (got != wanted)
        print_error("answered %s instead of %s\n", names[got], names[wanted]);
    return got == wanted;
}

#define assert_answer(call, wanted) assert_case(answered((call), (wanted)), #call)

#endif
