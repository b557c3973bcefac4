/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* libmemcached behind a fence. A memcached_st here has one server, so that a failure costs one connection and
 * no other server's, and it never outlives a failure, so that no late answer can be taken for the answer to
 * the next question. Rejected: its own connection pool (no deadline per call), the binary protocol
 * (deprecated, and its get hides errors as well).
 *
 * The trap that shapes this file: a get that meets SERVER_ERROR, ERROR, garbage or a closed connection
 * answers NOTFOUND. A miss is therefore believed only where `touch`, whose answers are exact, says NOTFOUND
 * for the same key as well.
 *
 * A memcached that is hostile, and not only broken, can make the library abort the process (its assertions
 * are on in packaged builds); like its memory's contents, that is outside of what can be defended here. */

#include <stdlib.h>
#include <string.h>

#include <libmemcached/memcached.h>

#include "backend/mcconn.h"

#define MONTH ((int64_t)30 * 24 * 3600)             /* up to here memcached takes a time for relative */
#define CHUNK (STORE_VALUE_MAX + (size_t)64 * 1024) /* the most that the library may allocate at once */
#define HELLO "sso-hello"                           /* shorter than any key, so it is nobody's */

#define NEVER_GIVEN ((uint64_t)INT64_MAX) /* memcached counts its versions up from 1 */

struct mcconn {
    memcached_st *handle;
    const clock_port *clock;
    int64_t deadline;
    int64_t allowance; /* milliseconds from when the deadline was set to its end */
};

/* The ceiling: the length that a server announces is allocated before a byte of it has come. */
static void *fence_malloc(const memcached_st *handle, const size_t size, void *context)
{
    (void)handle;
    (void)context;
    return size > CHUNK ? NULL : malloc(size);
}

static void *fence_realloc(const memcached_st *handle, void *old, const size_t size, void *context)
{
    (void)handle;
    (void)context;
    return size > CHUNK ? NULL : realloc(old, size);
}

static void *fence_calloc(const memcached_st *handle, size_t count, const size_t size, void *context)
{
    (void)handle;
    (void)context;
    return size > 0 && count > CHUNK / size ? NULL : calloc(count, size);
}

static void fence_free(const memcached_st *handle, void *old, void *context)
{
    (void)handle;
    (void)context;
    free(old);
}

/* Everything the library may wait for ends with the deadline. False: it has passed, nothing may be asked any
 * more. */
static bool arm(mcconn *conn)
{
    int64_t left = conn->deadline - conn->clock->steady(conn->clock);
    if (left < 1)
        return false;
    memcached_behavior_set(conn->handle, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, (uint64_t)left);
    memcached_behavior_set(conn->handle, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, (uint64_t)left);
    return true;
}

static bool configure(memcached_st *handle, const mcconn_place *place, int64_t wait_ms)
{
    static const struct {
        memcached_behavior_t behavior;
        uint64_t value;
    } rows[] = {
        {MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 0}, {MEMCACHED_BEHAVIOR_TCP_NODELAY, 1},
        {MEMCACHED_BEHAVIOR_TCP_KEEPALIVE, 1},   {MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1},
        {MEMCACHED_BEHAVIOR_VERIFY_KEY, 1},      {MEMCACHED_BEHAVIOR_AUTO_EJECT_HOSTS, 0},
        {MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 0}, {MEMCACHED_BEHAVIOR_NO_BLOCK, 0},
    };
    memcached_return_t rc =
        memcached_set_memory_allocators(handle, fence_malloc, fence_free, fence_realloc, fence_calloc, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rc == MEMCACHED_SUCCESS; i++)
        rc = memcached_behavior_set(handle, rows[i].behavior, rows[i].value);
    memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_SND_TIMEOUT, (uint64_t)wait_ms * 1000);
    memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, (uint64_t)wait_ms * 1000);
    if (rc != MEMCACHED_SUCCESS)
        return false;
    if (place->path)
        return memcached_server_add_unix_socket(handle, place->path) == MEMCACHED_SUCCESS;
    return memcached_server_add(handle, place->address, (in_port_t)place->port) == MEMCACHED_SUCCESS;
}

mcconn *mcconn_open(const mcconn_place *place, const clock_port *clock, int64_t deadline)
{
    int64_t left = deadline - clock->steady(clock);
    mcconn *conn = left < 1 ? NULL : calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    conn->clock = clock;
    conn->deadline = deadline;
    conn->handle = memcached_create(NULL);
    if (conn->handle == NULL || !configure(conn->handle, place, left) || !mcconn_greet(conn)) {
        mcconn_close(conn);
        return NULL;
    }
    return conn;
}

void mcconn_until(mcconn *conn, int64_t deadline)
{
    conn->deadline = deadline;
    conn->allowance = deadline - conn->clock->steady(conn->clock);
}

bool mcconn_is_late(const mcconn *conn)
{
    return conn->clock->steady(conn->clock) >= conn->deadline;
}

/* Not `version`: the library remembers its answer and then asks nobody, and crashes where the number is
 * missing. */
bool mcconn_greet(mcconn *conn)
{
    memcached_return_t rc;
    if (!arm(conn))
        return false;
    rc = memcached_touch(conn->handle, HELLO, sizeof(HELLO) - 1, 1);
    return rc == MEMCACHED_NOTFOUND || rc == MEMCACHED_SUCCESS;
}

/* One second more than asked for, because memcached counts whole ticks and would forget up to one second
 * early. Beyond 30 days it takes the number for a date. */
static time_t expiry(const mcconn *conn, int64_t ttl)
{
    int64_t seconds = ttl < 1 ? 1 : ttl;
    seconds = (seconds > STORE_TTL_MAX ? STORE_TTL_MAX : seconds) + 1;
    if (seconds > MONTH)
        seconds += conn->clock->wall(conn->clock);
    return (time_t)seconds;
}

/* Takes what came, if it is the whole answer to the question and nothing else. */
static store_rc take(mcconn *conn, const char *key, memcached_result_st *result, apr_pool_t *pool,
                     store_item *item)
{
    memcached_return_t rc;
    text_t name = {memcached_result_key_value(result), memcached_result_key_length(result)};
    text_t value = {memcached_result_value(result), memcached_result_length(result)};
    item->version = memcached_result_cas(result);
    if (!text_equal(name, (text_t){key, STORE_KEY_LEN}) || value.len > STORE_VALUE_MAX || item->version == 0)
        return STORE_DOWN;
    item->value = text_copy(pool, value);
    if (!arm(conn) || memcached_fetch_result(conn->handle, result, &rc) != NULL || rc != MEMCACHED_END)
        return STORE_DOWN;
    return STORE_OK;
}

/* OK and DOWN are final; MISS means that the library saw nothing and had nothing to complain about. */
static store_rc look(mcconn *conn, const char *key, apr_pool_t *pool, store_item *item)
{
    const char *const keys[1] = {key};
    const size_t lengths[1] = {STORE_KEY_LEN};
    memcached_result_st room;
    memcached_result_st *result;
    memcached_return_t rc = MEMCACHED_FAILURE;
    store_rc answer = STORE_DOWN;
    if (!arm(conn) || memcached_mget(conn->handle, keys, lengths, 1) != MEMCACHED_SUCCESS)
        return STORE_DOWN;
    result = memcached_result_create(conn->handle, &room);
    if (result == NULL)
        return STORE_DOWN;
    if (memcached_fetch_result(conn->handle, result, &rc) != NULL)
        answer = rc == MEMCACHED_SUCCESS ? take(conn, key, result, pool, item) : STORE_DOWN;
    else if (rc == MEMCACHED_NOTFOUND && memcached_last_error(conn->handle) == MEMCACHED_SUCCESS)
        answer = STORE_MISS;
    memcached_result_free(result);
    return answer;
}

/* The touch that proves a miss must do no harm where somebody writes the key at this very moment: it can make
 * a record live longer than its writer asked for, never shorter. Then there is something to get after all.
 * The proof is a question of its own, with a deadline of its own: behind a slow memcached the answer to the
 * first one may have taken most of it. */
store_rc mcconn_get(mcconn *conn, const char *key, apr_pool_t *pool, store_item *item)
{
    store_rc proof;
    store_rc answer = look(conn, key, pool, item);
    if (answer != STORE_MISS || mcconn_is_late(conn))
        return answer == STORE_MISS ? STORE_DOWN : answer;
    mcconn_until(conn, conn->clock->steady(conn->clock) + conn->allowance);
    proof = mcconn_touch(conn, key, STORE_TTL_MAX);
    if (proof != STORE_OK)
        return proof;
    return look(conn, key, pool, item) == STORE_OK ? STORE_OK : STORE_DOWN;
}

static bool is_full(memcached_return_t rc)
{
    return rc == MEMCACHED_E2BIG || rc == MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE;
}

store_rc mcconn_put(mcconn *conn, const char *key, const mcconn_record *record)
{
    memcached_return_t rc;
    if (!arm(conn))
        return STORE_DOWN;
    rc = memcached_set(conn->handle, key, STORE_KEY_LEN, record->value.at, record->value.len,
                       expiry(conn, record->ttl), 0);
    if (rc == MEMCACHED_SUCCESS)
        return STORE_OK;
    return is_full(rc) ? STORE_FULL : STORE_DOWN;
}

store_rc mcconn_add(mcconn *conn, const char *key, const mcconn_record *record)
{
    memcached_return_t rc;
    if (!arm(conn))
        return STORE_DOWN;
    rc = memcached_add(conn->handle, key, STORE_KEY_LEN, record->value.at, record->value.len,
                       expiry(conn, record->ttl), 0);
    if (rc == MEMCACHED_SUCCESS)
        return STORE_OK;
    if (rc == MEMCACHED_NOTSTORED)
        return STORE_CLASH;
    return is_full(rc) ? STORE_FULL : STORE_DOWN;
}

/* The library leaves a version of 0 out of the command, and memcached takes the topmost ones for nonsense. No
 * record has one of them, but it must still be told whether there is a record. */
store_rc mcconn_cas(mcconn *conn, const char *key, const mcconn_record *record)
{
    uint64_t version = record->version == 0 || record->version > NEVER_GIVEN ? NEVER_GIVEN : record->version;
    memcached_return_t rc;
    if (!arm(conn))
        return STORE_DOWN;
    rc = memcached_cas(conn->handle, key, STORE_KEY_LEN, record->value.at, record->value.len,
                       expiry(conn, record->ttl), 0, version);
    if (rc == MEMCACHED_SUCCESS)
        return STORE_OK;
    if (rc == MEMCACHED_DATA_EXISTS)
        return STORE_CLASH;
    if (rc == MEMCACHED_NOTFOUND)
        return STORE_MISS;
    return is_full(rc) ? STORE_FULL : STORE_DOWN;
}

store_rc mcconn_touch(mcconn *conn, const char *key, int64_t ttl)
{
    memcached_return_t rc;
    if (!arm(conn))
        return STORE_DOWN;
    rc = memcached_touch(conn->handle, key, STORE_KEY_LEN, expiry(conn, ttl));
    if (rc == MEMCACHED_SUCCESS)
        return STORE_OK;
    return rc == MEMCACHED_NOTFOUND ? STORE_MISS : STORE_DOWN;
}

store_rc mcconn_drop(mcconn *conn, const char *key)
{
    memcached_return_t rc;
    if (!arm(conn))
        return STORE_DOWN;
    rc = memcached_delete(conn->handle, key, STORE_KEY_LEN, 0);
    if (rc == MEMCACHED_SUCCESS)
        return STORE_OK;
    return rc == MEMCACHED_NOTFOUND ? STORE_MISS : STORE_DOWN;
}

/* A goodbye is sent where the socket takes it, but never waited for. */
void mcconn_close(mcconn *conn)
{
    if (conn == NULL)
        return;
    if (conn->handle) {
        memcached_behavior_set(conn->handle, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 0);
        memcached_free(conn->handle);
    }
    free(conn);
}
