/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The store in memory. A linear table is enough for tests. */

#include "fakestore.h"

#include <stdlib.h>
#include <string.h>

typedef struct item {
    char key[STORE_KEY_LEN + 1];
    char *value;
    size_t len;
    uint64_t version;
    int64_t ends; /* steady milliseconds */
} item_t;

static fakestore *own(store_port *port)
{
    return (fakestore *)port;
}

static void release(fakestore *store, item_t *item)
{
    item_t *items = store->items;
    free(item->value);
    *item = items[--store->count];
}

/* With the lock held. */
static item_t *find(fakestore *store, const char *key)
{
    item_t *items = store->items;
    if (strlen(key) != STORE_KEY_LEN)
        abort();
    for (size_t i = 0; i < store->count; i++) {
        if (strcmp(items[i].key, key) != 0)
            continue;
        if (store->clock->steady(store->clock) < items[i].ends)
            return &items[i];
        release(store, &items[i]);
        return NULL;
    }
    return NULL;
}

static item_t *add_item(fakestore *store, const char *key)
{
    if (store->count == store->room) {
        store->room = store->room * 2 + 16;
        store->items = realloc(store->items, store->room * sizeof(item_t));
    }
    item_t *item = (item_t *)store->items + store->count++;
    memset(item, 0, sizeof *item);
    memcpy(item->key, key, STORE_KEY_LEN);
    return item;
}

static store_rc write_item(fakestore *store, const char *key, text_t value, int64_t ttl)
{
    item_t *item = find(store, key);
    if (ttl < 1 || ttl > STORE_TTL_MAX)
        abort(); /* the contract says that nobody asks for that */
    if (value.len > STORE_VALUE_MAX)
        return STORE_FULL;
    if (item == NULL)
        item = add_item(store, key);
    free(item->value);
    item->value = malloc(value.len + 1);
    if (value.len > 0)
        memcpy(item->value, value.at, value.len);
    item->len = value.len;
    item->version = ++store->version;
    item->ends = store->clock->steady(store->clock) + ttl * 1000;
    store->last_ttl = ttl;
    return STORE_OK;
}

/* Counts a call, lets the hook run, and says whether the verb is to fail. Leaves the lock held. */
static fakestore_fault begin(fakestore *store, fakestore_verb verb, const char *key)
{
    fakestore_fault now = {.times = 0};
    pthread_mutex_lock(&store->lock);
    store->calls[verb]++;
    if (store->before != NULL && !store->inside) {
        store->inside = true;
        pthread_mutex_unlock(&store->lock);
        store->before(store->before_data, verb, key);
        pthread_mutex_lock(&store->lock);
        store->inside = false;
    }
    fakestore_fault *fault = &store->faults[verb];
    if (fault->times > 0 && fault->skip > 0) {
        fault->skip--;
    } else if (fault->times > 0) {
        now = *fault;
        fault->times--;
    }
    return now;
}

static store_rc finish(fakestore *store, fakestore_fault fault, store_rc rc)
{
    pthread_mutex_unlock(&store->lock);
    return fault.times > 0 ? fault.rc : rc;
}

static bool works(fakestore_fault fault)
{
    return fault.times == 0 || fault.happens;
}

static store_rc get(store_port *port, const char *key, apr_pool_t *pool, store_item *item)
{
    fakestore *store = own(port);
    fakestore_fault fault = begin(store, FAKESTORE_GET, key);
    const item_t *found = find(store, key);
    if (works(fault) && found != NULL)
        *item = (store_item){text_copy(pool, (text_t){found->value, found->len}), found->version};
    return finish(store, fault, found != NULL ? STORE_OK : STORE_MISS);
}

static store_rc put(store_port *port, const char *key, text_t value, int64_t ttl)
{
    fakestore *store = own(port);
    fakestore_fault fault = begin(store, FAKESTORE_PUT, key);
    return finish(store, fault, works(fault) ? write_item(store, key, value, ttl) : STORE_OK);
}

static store_rc add(store_port *port, const char *key, text_t value, int64_t ttl)
{
    fakestore *store = own(port);
    fakestore_fault fault = begin(store, FAKESTORE_ADD, key);
    store_rc rc = STORE_CLASH;
    if (works(fault) && find(store, key) == NULL)
        rc = write_item(store, key, value, ttl);
    return finish(store, fault, rc);
}

static store_rc cas(store_port *port, const char *key, text_t value, int64_t ttl, uint64_t version)
{
    fakestore *store = own(port);
    fakestore_fault fault = begin(store, FAKESTORE_CAS, key);
    const item_t *found = find(store, key);
    store_rc rc = found == NULL ? STORE_MISS : found->version != version ? STORE_CLASH : STORE_OK;
    if (works(fault) && rc == STORE_OK)
        rc = write_item(store, key, value, ttl);
    return finish(store, fault, rc);
}

static store_rc touch(store_port *port, const char *key, int64_t ttl)
{
    fakestore *store = own(port);
    fakestore_fault fault = begin(store, FAKESTORE_TOUCH, key);
    item_t *found = find(store, key);
    if (works(fault) && found != NULL)
        found->ends = store->clock->steady(store->clock) + ttl * 1000;
    return finish(store, fault, found != NULL ? STORE_OK : STORE_MISS);
}

static store_rc drop(store_port *port, const char *key)
{
    fakestore *store = own(port);
    fakestore_fault fault = begin(store, FAKESTORE_DROP, key);
    item_t *found = find(store, key);
    store_rc rc = found != NULL ? STORE_OK : STORE_MISS;
    if (works(fault) && found != NULL)
        release(store, found);
    return finish(store, fault, rc);
}

void fakestore_wipe(fakestore *store)
{
    pthread_mutex_lock(&store->lock);
    while (store->count > 0)
        release(store, store->items);
    pthread_mutex_unlock(&store->lock);
}

static apr_status_t end(void *data)
{
    fakestore *store = data;
    fakestore_wipe(store);
    free(store->items);
    store->items = NULL;
    store->room = 0;
    return APR_SUCCESS;
}

void fakestore_init(fakestore *store, apr_pool_t *pool, const clock_port *clock)
{
    memset(store, 0, sizeof *store);
    store->port = (store_port){"fake", get, put, add, cas, touch, drop};
    store->clock = clock;
    (void)pthread_mutex_init(&store->lock, NULL);
    apr_pool_cleanup_register(pool, store, end, apr_pool_cleanup_null);
}

void fakestore_fail(fakestore *store, fakestore_verb verb, unsigned times, store_rc rc)
{
    store->faults[verb] = (fakestore_fault){.times = times, .rc = rc};
}

void fakestore_lie(fakestore *store, fakestore_verb verb, unsigned times, store_rc rc)
{
    store->faults[verb] = (fakestore_fault){.times = times, .rc = rc, .happens = true};
}

void fakestore_down(fakestore *store, bool down)
{
    for (int verb = 0; verb < FAKESTORE_VERBS; verb++)
        fakestore_fail(store, (fakestore_verb)verb, down ? (unsigned)-1 : 0, STORE_DOWN);
}

unsigned fakestore_calls(const fakestore *store)
{
    unsigned sum = 0;
    for (int verb = 0; verb < FAKESTORE_VERBS; verb++)
        sum += store->calls[verb];
    return sum;
}

unsigned fakestore_writes(const fakestore *store)
{
    return fakestore_calls(store) - store->calls[FAKESTORE_GET];
}

void fakestore_recount(fakestore *store)
{
    memset(store->calls, 0, sizeof store->calls);
}

size_t fakestore_size(fakestore *store)
{
    pthread_mutex_lock(&store->lock);
    const item_t *items = store->items;
    int64_t now = store->clock->steady(store->clock);
    size_t alive = 0;
    for (size_t i = 0; i < store->count; i++)
        alive += now < items[i].ends;
    pthread_mutex_unlock(&store->lock);
    return alive;
}

const char *fakestore_key(fakestore *store, size_t index)
{
    const item_t *items = store->items;
    return index < store->count ? items[index].key : NULL;
}

bool fakestore_peek(fakestore *store, apr_pool_t *pool, const char *key, text_t *value)
{
    pthread_mutex_lock(&store->lock);
    const item_t *found = find(store, key);
    if (found != NULL)
        *value = text_copy(pool, (text_t){found->value, found->len});
    pthread_mutex_unlock(&store->lock);
    return found != NULL;
}

void fakestore_poke(fakestore *store, const char *key, text_t value)
{
    if (key == NULL)
        abort();
    pthread_mutex_lock(&store->lock);
    (void)write_item(store, key, value, 3600);
    pthread_mutex_unlock(&store->lock);
}
