/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Sessions in the store, sealed. Names for the store are made here and nowhere else: always a hash in
 * base64url, so that nothing from outside ever stands in a command to memcached. */

#include "session/vault.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "jose/digest.h"
#include "session/sessionpack.h"

#define COOKIE_BYTES 32

static const char *const label_session = "session";
static const char *const label_document = "document";

bool vault_is_cookie(text_t cookie)
{
    if (cookie.len != VAULT_COOKIE_LEN)
        return false;
    for (size_t i = 0; i < cookie.len; i++) {
        char c = cookie.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
              c == '_'))
            return false;
    }
    return true;
}

/* The store's name for something, into room for STORE_KEY_LEN + 1. */
static bool name_key(const vault_t *vault, const char *label, text_t name, char key[STORE_KEY_LEN + 1])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const text_t parts[] = {text_of(label), vault->space, name, {NULL, 0}};
    unsigned char digest[DIGEST_LEN + 1] = {0};
    if (!digest_parts(parts, digest))
        return false;
    for (size_t i = 0; i < STORE_KEY_LEN; i++) {
        size_t bit = i * 6;
        unsigned pair = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        key[i] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    key[STORE_KEY_LEN] = '\0';
    return true;
}

/* The first digits of the hashed key: names the session without leading to it. */
static void name_tag(const char *key, char tag[VAULT_TAG_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t hash = 2166136261u;
    for (const char *c = key; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    for (int i = 0; i < VAULT_TAG_LEN; i++)
        tag[i] = digits[hash >> (28 - 4 * i) & 15];
    tag[VAULT_TAG_LEN] = '\0';
}

static bool name_record(const vault_t *vault, vault_record *record)
{
    if (!name_key(vault, label_session, record->cookie, record->key))
        return false;
    name_tag(record->key, record->tag);
    return true;
}

/* Where a message belongs: namespace and store key, glued in the pool. */
static text_t context_of(const vault_t *vault, apr_pool_t *pool, const char *key)
{
    const text_t parts[] = {vault->space, TEXT("\n"), text_of(key), {NULL, 0}};
    return text_join(pool, parts);
}

static vault_rc from_store(store_rc rc)
{
    switch (rc) {
    case STORE_OK:
        return VAULT_OK;
    case STORE_MISS:
        return VAULT_MISS;
    case STORE_CLASH:
        return VAULT_CLASH;
    case STORE_FULL:
        return VAULT_FULL;
    case STORE_DOWN:
        break;
    }
    return VAULT_DOWN;
}

/* Packs and seals a record; VAULT_OK, VAULT_LARGE or VAULT_BROKEN. */
static vault_rc seal_record(const vault_t *vault, apr_pool_t *pool, const vault_record *record,
                            text_t *sealed)
{
    unsigned char fresh[SEAL_FRESH_LEN];
    const seal_scope scope = {label_session, context_of(vault, pool, record->key), record->cookie, fresh};
    if (!vault->random->fill(vault->random, fresh, sizeof fresh))
        return VAULT_BROKEN;
    if (seal_close(pool, vault->ring, &scope, sessionpack_write(pool, &record->session), sealed) != NULL)
        return VAULT_BROKEN;
    return sealed->len > vault->record_max ? VAULT_LARGE : VAULT_OK;
}

static vault_rc load(const vault_t *vault, store_port *store, apr_pool_t *pool, vault_record *record)
{
    store_item item;
    text_t plain;
    if (!name_record(vault, record))
        return VAULT_BROKEN;
    vault_rc rc = from_store(store->get(store, record->key, pool, &item));
    if (rc != VAULT_OK)
        return rc;
    const seal_scope scope = {label_session, context_of(vault, pool, record->key), record->cookie, NULL};
    if (seal_open(pool, vault->ring, &scope, item.value, &plain) != NULL)
        return VAULT_FOREIGN;
    if (sessionpack_read(pool, plain, &record->session) != NULL)
        return VAULT_FOREIGN;
    record->version = item.version;
    return VAULT_OK;
}

vault_rc vault_load(const vault_t *vault, apr_pool_t *pool, text_t cookie, vault_record *record)
{
    *record = (vault_record){.cookie = cookie};
    return load(vault, vault->store, pool, record);
}

vault_rc vault_glance(const vault_t *vault, apr_pool_t *pool, text_t cookie, vault_record *record)
{
    *record = (vault_record){.cookie = cookie};
    return load(vault, vault->near != NULL ? vault->near : vault->store, pool, record);
}

vault_rc vault_create(const vault_t *vault, apr_pool_t *pool, vault_record *record, int64_t ttl)
{
    unsigned char id[COOKIE_BYTES];
    text_t sealed;
    if (!vault->random->fill(vault->random, id, sizeof id))
        return VAULT_BROKEN;
    text_t encoded = codec_base64url(pool, (text_t){(const char *)id, sizeof id});
    record->cookie = secret_copy(pool, encoded);
    secret_wipe(id, sizeof id);
    if (!name_record(vault, record))
        return VAULT_BROKEN;
    vault_rc rc = seal_record(vault, pool, record, &sealed);
    if (rc != VAULT_OK)
        return rc;
    return from_store(vault->store->add(vault->store, record->key, sealed, ttl));
}

vault_rc vault_swap(const vault_t *vault, apr_pool_t *pool, const vault_record *record, int64_t ttl)
{
    text_t sealed;
    vault_rc rc = seal_record(vault, pool, record, &sealed);
    if (rc != VAULT_OK)
        return rc;
    return from_store(vault->store->cas(vault->store, record->key, sealed, ttl, record->version));
}

vault_rc vault_end(const vault_t *vault, text_t cookie)
{
    vault_record record = {.cookie = cookie};
    if (!name_record(vault, &record))
        return VAULT_BROKEN;
    return from_store(vault->store->drop(vault->store, record.key));
}

vault_rc vault_use_once(const vault_t *vault, const char *label, text_t name, int64_t ttl)
{
    char key[STORE_KEY_LEN + 1];
    if (!name_key(vault, label, name, key))
        return VAULT_BROKEN;
    return from_store(vault->store->add(vault->store, key, TEXT("1"), ttl));
}

vault_rc vault_keep(const vault_t *vault, apr_pool_t *pool, text_t name, text_t document, int64_t ttl)
{
    char key[STORE_KEY_LEN + 1];
    unsigned char fresh[SEAL_FRESH_LEN];
    text_t sealed;
    if (!name_key(vault, label_document, name, key) ||
        !vault->random->fill(vault->random, fresh, sizeof fresh))
        return VAULT_BROKEN;
    const seal_scope scope = {label_document, context_of(vault, pool, key), {NULL, 0}, fresh};
    if (seal_close(pool, vault->ring, &scope, document, &sealed) != NULL)
        return VAULT_BROKEN;
    return from_store(vault->store->put(vault->store, key, sealed, ttl));
}

vault_rc vault_recall(const vault_t *vault, apr_pool_t *pool, text_t name, text_t *document)
{
    char key[STORE_KEY_LEN + 1];
    store_item item;
    if (!name_key(vault, label_document, name, key))
        return VAULT_BROKEN;
    vault_rc rc = from_store(vault->store->get(vault->store, key, pool, &item));
    if (rc != VAULT_OK)
        return rc;
    const seal_scope scope = {label_document, context_of(vault, pool, key), {NULL, 0}, NULL};
    return seal_open(pool, vault->ring, &scope, item.value, document) == NULL ? VAULT_OK : VAULT_FOREIGN;
}
