/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A session record as bytes. A fixed head of numbers and then slices with their lengths: compact (a claim
 * costs five bytes more than its text), read without copying, and each length is checked against what is
 * left. JSON was rejected: it would have to be parsed on every request. */

#include "session/sessionpack.h"

#include <string.h>

#include <apr_strings.h>

#include "base/secret.h"

#define PACK_VERSION 1
#define HEAD_NUMBERS 8 /* of eight bytes */
#define HEAD_LEN     (2 + HEAD_NUMBERS * 8 + 4 + 4 + 4 + SESSION_OWNER_LEN)
#define CLAIM_FRAME                                                                                          \
    6 /* type, path length (1), text length (3), and a NUL behind the text (see base/claim.h) */
#define PATH_LEN_MAX  255
#define TEXT_LEN_MAX  0xffffff
#define CLAIMS_PACKED 4096

typedef struct writer {
    unsigned char *at;
} writer;

typedef struct reader {
    const unsigned char *at;
    size_t left;
    bool broken;
} reader;

static void put_number(writer *out, uint64_t number, int bytes)
{
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
        *out->at++ = (unsigned char)(number >> shift & 0xff);
}

static void put_bytes(writer *out, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(out->at, bytes, len);
    out->at += len;
}

static uint64_t take_number(reader *in, int bytes)
{
    uint64_t number = 0;
    if (in->left < (size_t)bytes) {
        in->broken = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++)
        number = number << 8 | *in->at++;
    in->left -= (size_t)bytes;
    return number;
}

static text_t take_bytes(reader *in, size_t len)
{
    text_t bytes = {NULL, 0};
    if (in->left < len) {
        in->broken = true;
        return bytes;
    }
    bytes = (text_t){(const char *)in->at, len};
    in->at += len;
    in->left -= len;
    return bytes;
}

static size_t packed_size(const session_t *session)
{
    size_t size = HEAD_LEN + 4 * 3 + session->access_token.len + session->refresh_token.len +
                  session->id_token.len + session->scope.len + 2;
    for (size_t i = 0; i < session->claims.count; i++)
        size += CLAIM_FRAME + session->claims.at[i].path.len + session->claims.at[i].text.len;
    return size;
}

static bool is_packable(const claim_t *claim)
{
    return claim->path.len <= PATH_LEN_MAX && claim->text.len <= TEXT_LEN_MAX;
}

static void write_claims(writer *out, const claim_list *claims)
{
    size_t count = 0;
    for (size_t i = 0; i < claims->count; i++)
        count += is_packable(&claims->at[i]);
    put_number(out, count, 2);
    for (size_t i = 0; i < claims->count; i++) {
        const claim_t *claim = &claims->at[i];
        if (!is_packable(claim))
            continue;
        put_number(out, (uint64_t)claim->type, 1);
        put_number(out, claim->path.len, 1);
        put_number(out, claim->text.len, 3);
        put_bytes(out, claim->path.at, claim->path.len);
        put_bytes(out, claim->text.at, claim->text.len);
        put_number(out, 0, 1);
    }
}

text_t sessionpack_write(apr_pool_t *pool, const session_t *session)
{
    size_t size = packed_size(session);
    unsigned char *room = secret_room(pool, size);
    writer out = {room};
    const int64_t numbers[HEAD_NUMBERS] = {session->created,       session->seen,
                                           session->ends,          session->token_obtained,
                                           session->token_expires, session->refresh_expires,
                                           session->failed_at,     session->retry_at};
    const text_t tokens[] = {session->access_token, session->refresh_token, session->id_token,
                             session->scope};
    put_number(&out, PACK_VERSION, 1);
    put_number(&out, session->ended, 1);
    for (int i = 0; i < HEAD_NUMBERS; i++)
        put_number(&out, (uint64_t)numbers[i], 8);
    put_number(&out, session->failures, 4);
    put_number(&out, session->lease.epoch, 4);
    put_number(&out, session->lease.seconds, 4);
    put_bytes(&out, session->lease.owner, SESSION_OWNER_LEN);
    for (int i = 0; i < 4; i++) {
        put_number(&out, tokens[i].len, 3);
        put_bytes(&out, tokens[i].at, tokens[i].len);
    }
    write_claims(&out, &session->claims);
    return (text_t){(char *)room, (size_t)(out.at - room)};
}

static void read_head(reader *in, session_t *session)
{
    int64_t *numbers[HEAD_NUMBERS] = {&session->created,       &session->seen,
                                      &session->ends,          &session->token_obtained,
                                      &session->token_expires, &session->refresh_expires,
                                      &session->failed_at,     &session->retry_at};
    uint64_t ended = take_number(in, 1);
    in->broken |= ended > 1;
    session->ended = ended == 1;
    for (int i = 0; i < HEAD_NUMBERS; i++)
        *numbers[i] = (int64_t)take_number(in, 8);
    session->failures = (uint32_t)take_number(in, 4);
    session->lease.epoch = (uint32_t)take_number(in, 4);
    session->lease.seconds = (uint32_t)take_number(in, 4);
    text_t owner = take_bytes(in, SESSION_OWNER_LEN);
    if (owner.len == SESSION_OWNER_LEN)
        memcpy(session->lease.owner, owner.at, SESSION_OWNER_LEN);
}

static bool is_claim_type(uint64_t type)
{
    return type < 128 && type > 0 && strchr("sntflj", (int)type) != NULL;
}

static void read_claims(reader *in, apr_pool_t *pool, claim_list *claims)
{
    size_t count = (size_t)take_number(in, 2);
    if (count > CLAIMS_PACKED || count * CLAIM_FRAME > in->left) {
        in->broken = true;
        return;
    }
    claim_t *all = apr_pcalloc(pool, (count + 1) * sizeof *all);
    for (size_t i = 0; i < count && !in->broken; i++) {
        uint64_t type = take_number(in, 1);
        size_t path_len = (size_t)take_number(in, 1);
        size_t text_len = (size_t)take_number(in, 3);
        all[i] = (claim_t){.path = take_bytes(in, path_len), .type = (claim_type)type};
        all[i].text = take_bytes(in, text_len);
        in->broken |= take_number(in, 1) != 0 || !is_claim_type(type);
    }
    *claims = (claim_list){all, count};
}

const fault_t *sessionpack_read(apr_pool_t *pool, text_t bytes, session_t *session)
{
    reader in = {(const unsigned char *)bytes.at, bytes.len, false};
    uint64_t version = take_number(&in, 1);
    if (version != PACK_VERSION)
        return fault_make(pool, FAULT_STORE_FOREIGN, "the record has format %d, this module reads %d",
                          (int)version, PACK_VERSION);
    memset(session, 0, sizeof *session);
    read_head(&in, session);
    text_t *tokens[] = {&session->access_token, &session->refresh_token, &session->id_token, &session->scope};
    for (int i = 0; i < 4; i++)
        *tokens[i] = take_bytes(&in, (size_t)take_number(&in, 3));
    read_claims(&in, pool, &session->claims);
    if (in.broken || in.left > 0)
        return fault_make(pool, FAULT_STORE_FOREIGN, "the record's lengths do not add up");
    return NULL;
}

const char *sessionpack_biggest(apr_pool_t *pool, const session_t *session)
{
    const struct {
        const char *name;
        size_t len;
    } tokens[] = {{"access_token", session->access_token.len},
                  {"refresh_token", session->refresh_token.len},
                  {"id_token", session->id_token.len}};
    const char *name = "scope";
    size_t len = session->scope.len;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        if (tokens[i].len > len) {
            name = tokens[i].name;
            len = tokens[i].len;
        }
    }
    for (size_t i = 0; i < session->claims.count; i++) {
        const claim_t *claim = &session->claims.at[i];
        if (claim->text.len > len) {
            name = apr_pstrcat(pool, "claim ", text_loggable(pool, claim->path, 100), NULL);
            len = claim->text.len;
        }
    }
    return apr_psprintf(pool, "%s (%" APR_SIZE_T_FMT " bytes)", name, len);
}
