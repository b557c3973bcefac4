/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef MCFAKE_H
#define MCFAKE_H

/* A memcached that answers what the script says, right or wrong. One thread serves one connection after the
 * other and answers the greeting of a new connection properly. In an answer, `%k` is the key of the question.
 * Include unit.h first. */

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "storeserver.h"

typedef struct mcfake_script {
    const char *get;   /* what a gets is answered */
    const char *again; /* a second gets for the same key; NULL: as the first */
    const char *touch; /* a touch of anything but the greeting */
    const char *write; /* set, add and cas */
    const char *drop;  /* delete */
    bool closes;       /* the connection behind such an answer */
    int late_ms;       /* before such an answer */
    int drip_ms;       /* between the bytes of such an answer */
} mcfake_script;

typedef struct mcfake {
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t mutex; /* of the script */
    mcfake_script script;
    atomic_bool ending;
    atomic_int gets;
    atomic_int writes;
    atomic_int connections;
} mcfake;

static inline mcfake_script mcfake_now(mcfake *fake)
{
    mcfake_script script;
    pthread_mutex_lock(&fake->mutex);
    script = fake->script;
    pthread_mutex_unlock(&fake->mutex);
    return script;
}

static inline void mcfake_set(mcfake *fake, const mcfake_script *script)
{
    pthread_mutex_lock(&fake->mutex);
    fake->script = *script;
    pthread_mutex_unlock(&fake->mutex);
}

/* True while there is something to read; false when the peer is silent and the test is over. */
static inline bool mcfake_readable(mcfake *fake, int file)
{
    struct pollfd one = {file, POLLIN, 0};
    while (!fake->ending)
        if (poll(&one, 1, 10) > 0)
            return true;
    return false;
}

static inline bool mcfake_line(mcfake *fake, int file, char *line, size_t room)
{
    size_t len = 0;
    while (len + 1 < room && mcfake_readable(fake, file) && recv(file, line + len, 1, 0) == 1) {
        if (line[len] == '\n') {
            line[len] = '\0';
            return true;
        }
        len++;
    }
    return false;
}

static inline void mcfake_skip(mcfake *fake, int file, int64_t len)
{
    char byte;
    while (len-- > 0 && mcfake_readable(fake, file))
        if (recv(file, &byte, 1, 0) != 1)
            return;
}

/* The answers of the scripts are far shorter than the room. */
static inline void mcfake_say(int file, const char *answer, const char *key, int drip_ms)
{
    char bytes[4096];
    size_t len = 0;
    for (; *answer; answer++) {
        if (answer[0] == '%' && answer[1] == 'k') {
            len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "%.*s", STORE_KEY_LEN, key);
            answer++;
        } else {
            bytes[len++] = *answer;
        }
    }
    for (size_t sent = 0; sent < len;) {
        size_t part = drip_ms > 0 ? 1 : len;
        if (send(file, bytes + sent, part, MSG_NOSIGNAL) < 0)
            return;
        sent += part;
        rest_ms(drip_ms);
    }
}

/* The bytes that follow the line of a set, add or cas: its fifth word. */
static inline int64_t mcfake_len(const char *line)
{
    text_t rest = text_of(line);
    text_t word = {NULL, 0};
    int64_t len = 0;
    for (int i = 0; i < 5; i++)
        text_cut(&rest, ' ', &word);
    if (text_ends(word, TEXT("\r")))
        word.len--;
    assert_true(text_number(word, STORE_VALUE_MAX, &len));
    return len;
}

/* What the script has for a line; NULL is silence. */
static inline const char *mcfake_choose(mcfake *fake, int file, const char *line, int *asked)
{
    mcfake_script script = mcfake_now(fake);
    if (strncmp(line, "gets ", 5) == 0) {
        fake->gets++;
        return ++*asked > 1 && script.again ? script.again : script.get;
    }
    if (strncmp(line, "touch ", 6) == 0)
        return script.touch;
    if (strncmp(line, "delete ", 7) == 0)
        return script.drop;
    if (strncmp(line, "set ", 4) == 0 || strncmp(line, "add ", 4) == 0 || strncmp(line, "cas ", 4) == 0) {
        fake->writes++;
        mcfake_skip(fake, file, mcfake_len(line) + 2);
        return script.write;
    }
    return NULL;
}

static inline void mcfake_serve(mcfake *fake, int file)
{
    char line[512];
    int asked = 0;
    while (mcfake_line(fake, file, line, sizeof(line))) {
        mcfake_script script = mcfake_now(fake);
        const char *space = strchr(line, ' ');
        const char *answer;
        if (strncmp(line, "quit", 4) == 0)
            return;
        if (strncmp(line, "touch sso-hello ", 16) == 0) {
            mcfake_say(file, "NOT_FOUND\r\n", "", 0);
            continue;
        }
        answer = mcfake_choose(fake, file, line, &asked);
        rest_ms(script.late_ms);
        if (answer)
            mcfake_say(file, answer, space ? space + 1 : "", script.drip_ms);
        if (script.closes)
            return;
    }
}

static inline void *mcfake_run(void *data)
{
    mcfake *fake = data;
    while (mcfake_readable(fake, fake->listener)) {
        int file = accept(fake->listener, NULL, NULL);
        if (file < 0)
            continue;
        fake->connections++;
        mcfake_serve(fake, file);
        close(file);
    }
    return NULL;
}

static inline apr_status_t mcfake_end(void *data)
{
    mcfake *fake = data;
    fake->ending = true;
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    pthread_mutex_destroy(&fake->mutex);
    return APR_SUCCESS;
}

/* Ends with the pool. */
static inline mcfake *mcfake_make(apr_pool_t *pool, const mcfake_script *script)
{
    mcfake *fake = apr_pcalloc(pool, sizeof(*fake));
    fake->listener = listener_make(&fake->port);
    fake->script = *script;
    assert_int_equal(listen(fake->listener, 16), 0);
    pthread_mutex_init(&fake->mutex, NULL);
    assert_int_equal(pthread_create(&fake->thread, NULL, mcfake_run, fake), 0);
    apr_pool_cleanup_register(pool, fake, mcfake_end, apr_pool_cleanup_null);
    return fake;
}

#endif
