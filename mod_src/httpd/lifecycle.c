/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The ports' lives. Threads, connections and LMDB environments do not survive a fork, so all are made in the
 * child; what needs the parent's rights is done before. A child that cannot open its store lives on and says
 * 503, because a child that dies at start is started again for ever. */

#include "httpd/lifecycle.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <unixd.h>

#include "backend/curlhttp.h"
#include "backend/hostclock.h"
#include "backend/hostrandom.h"
#include "backend/laterthreads.h"
#include "backend/lmdbstore.h"
#include "backend/mcstore.h"
#include "backend/nearcache.h"
#include "backend/sharedthreads.h"
#include "httpd/conf.h"
#include "httpd/downstore.h"
#include "httpd/logbridge.h"
#include "httpd/pattern.h"

#define CONNECTIONS_MAX 64 /* to one memcached, from one child */
#define CALLS_MIN       4 /* to providers, from one child: as many as there are threads behind the responses */

/* Bounds of a child's near cache. */
#define NEAR_ENTRIES ((size_t)16384)
#define NEAR_BYTES   ((size_t)32 * 1024 * 1024)

/* One set of counters for all caches and children of this httpd. It lies in the pool of the process, so that
 * children from before and after a graceful restart see each other's writes. */
static generations *host_generations(apr_pool_t *process)
{
    static const char name[] = "mod_sso generations";
    void *known = NULL;
    if (apr_pool_userdata_get(&known, name, process) == APR_SUCCESS && known != NULL)
        return known;
    known = generations_new(process, GENERATIONS_USUAL);
    apr_pool_userdata_set(known, name, NULL,
                          process); /* copies the name: this module may be unloaded and come back */
    return known;
}

int lifecycle_parent(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    (void)plog;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    bool root = geteuid() == 0;
    uid_t uid = root ? ap_unixd_config.user_id : (uid_t)-1;
    gid_t gid = root ? ap_unixd_config.group_id : (gid_t)-1;
    (void)host_generations(main_server->process->pool);
    conf_of_server(main_server)->breakers = curlbreaker_new(pconf);
    for (server_rec *server = main_server; server != NULL; server = server->next) {
        const conf_server *conf = conf_of_server(server);
        if (conf->rp == NULL || conf->store->scheme != STOREURL_LMDB)
            continue;
        const char *wrong = lmdbstore_prepare(ptemp, conf->store, uid, gid);
        if (wrong == NULL)
            continue;
        logbridge_config(server, apr_pstrcat(ptemp, "SSOStore: ", wrong, NULL));
        return !OK;
    }
    return OK;
}

static int worker_count(void)
{
    int threads = 0;
    return ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads > 0 ? threads : 1;
}

/* Requests that wait for a provider must leave workers for the others. */
static int call_count(int64_t wanted)
{
    int most = worker_count() / 2 > CALLS_MIN ? worker_count() / 2 : CALLS_MIN;
    return wanted < most ? (int)wanted : most;
}

/* As many as can ask at once; HTTP/2 has workers of its own beside the MPM's. */
static int connection_count(void)
{
    int threads = worker_count();
    if (ap_find_linked_module("mod_http2.c") != NULL)
        threads += threads / 2 + 1;
    threads += 4;
    return threads < CONNECTIONS_MAX ? threads : CONNECTIONS_MAX;
}

static store_port *open_store(apr_pool_t *pchild, const server_rec *server, const store_url *url)
{
    store_port *store = NULL;
    const char *wrong = url->scheme == STOREURL_LMDB
                            ? lmdbstore_open(pchild, url, hostclock_port(), &store)
                            : mcstore_open(pchild, url, hostclock_port(), connection_count(), &store);
    if (wrong == NULL)
        return store;
    logbridge_trouble(server,
                      apr_pstrcat(pchild, "reason=store_down: SSOStore cannot be opened: ", wrong, NULL));
    return downstore_port();
}

static bool same(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

/* The earlier server whose ports for the provider, or whose store, can be used too. */
typedef bool (*alike_t)(const server_settings *one, const server_settings *other);

static bool same_outside(const server_settings *one, const server_settings *other)
{
    return same(one->provider_ca, other->provider_ca) && same(one->http_proxy, other->http_proxy) &&
           one->outbound == other->outbound;
}

static bool same_store(const server_settings *one, const server_settings *other)
{
    return same(one->store, other->store) && one->near_cache == other->near_cache &&
           one->store_grace == other->store_grace;
}

static const env_t *earlier(const server_rec *main_server, const server_rec *server, alike_t alike)
{
    const conf_server *conf = conf_of_server(server);
    for (const server_rec *other = main_server; other != server; other = other->next) {
        const conf_server *known = conf_of_server(other);
        if (known->rp != NULL && alike(known->settings, conf->settings))
            return known->env;
    }
    return NULL;
}

/* `scope` is another number for each server. */
static curlhttp_settings outside_of(const server_rec *main_server, const server_settings *settings, int scope)
{
    return (curlhttp_settings){.ca_file = settings->provider_ca,
                               .proxy = settings->http_proxy,
                               .max_calls = call_count(settings->outbound),
                               .breakers = conf_of_server(main_server)->breakers,
                               .scope = scope};
}

/* Snapshots of metadata and keys are shared by those only who trust the same authorities. */
static void set_outside(apr_pool_t *pchild, const curlhttp_settings *terms, const env_t *known, env_t *env)
{
    env->http = known != NULL ? known->http : curlhttp_new(pchild, terms);
    env->shared = known != NULL ? known->shared : sharedthreads_new(pchild);
}

/* The store behind the settings, and the cache in front of it; or those of an earlier server with the same
 * settings. */
static void set_store(apr_pool_t *pchild, const server_rec *server, const env_t *known, env_t *env)
{
    const conf_server *conf = conf_of_server(server);
    if (known != NULL) {
        env->store = known->store;
        env->near = known->near;
        return;
    }
    const nearcache_terms terms = {.inner = open_store(pchild, server, conf->store),
                                   .clock = env->clock,
                                   .generations = host_generations(server->process->pool),
                                   .fresh_ms = conf->settings->near_cache * 1000,
                                   .grace_ms = conf->settings->store_grace * 1000,
                                   .entries_max = NEAR_ENTRIES,
                                   .bytes_max = NEAR_BYTES};
    if (terms.fresh_ms == 0 || conf->store->scheme == STOREURL_LMDB) { /* LMDB is as near as a cache */
        env->store = terms.inner;
        return;
    }
    nearcache *cache = nearcache_new(pchild, &terms);
    env->store = nearcache_truth(cache);
    env->near = nearcache_port(cache);
}

void lifecycle_child(apr_pool_t *pchild, server_rec *main_server)
{
    later_port *later = NULL;
    int scope = 0;
    for (server_rec *server = main_server; server != NULL; server = server->next) {
        conf_server *conf = conf_of_server(server);
        if (conf->rp == NULL)
            continue;
        const curlhttp_settings outside = outside_of(main_server, conf->settings, scope++);
        env_t *env = apr_pcalloc(pchild, sizeof(*env));
        env->clock = hostclock_port();
        env->random = hostrandom_port();
        env->pattern = pattern_port_get();
        set_outside(pchild, &outside, earlier(main_server, server, same_outside), env);
        set_store(pchild, server, earlier(main_server, server, same_store), env);
        if (later == NULL)
            later = laterthreads_new(pchild, &(laterthreads_settings){0});
        env->later = later;
        env->journal = logbridge_journal;
        env->journal_place = server;
        conf->env = env;
    }
}
