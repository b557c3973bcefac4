/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Tickets: state, nonce and verifier are drawn independently and travel raw inside the seal, so that a ticket
 * stays small enough for several of them in one browser. */

#include "session/ticket.h"

#include <string.h>

#include <apr_strings.h>

#include "base/codec.h"
#include "base/secret.h"
#include "jose/digest.h"

#define DRAWN_BYTES    32
#define TICKET_VERSION 1
#define HEAD_LEN       (1 + 8 + 3 * DRAWN_BYTES + 2) /* version, born, three secrets, length of redirect_uri */
#define NAME_CHARS     10
#define COOKIE_MAX     4096

static const char *const label_ticket = "ticket";

static const fault_t *draw_one(apr_pool_t *pool, const random_port *random, text_t *drawn)
{
    unsigned char bytes[DRAWN_BYTES];
    if (!random->fill(random, bytes, sizeof bytes))
        return fault_make(pool, FAULT_INTERNAL, "no random numbers");
    *drawn = secret_copy(pool, codec_base64url(pool, (text_t){(const char *)bytes, sizeof bytes}));
    secret_wipe(bytes, sizeof bytes);
    return NULL;
}

const fault_t *ticket_draw(apr_pool_t *pool, const random_port *random, ticket_t *ticket)
{
    const fault_t *fault = draw_one(pool, random, &ticket->state);
    if (fault == NULL)
        fault = draw_one(pool, random, &ticket->nonce);
    if (fault == NULL)
        fault = draw_one(pool, random, &ticket->verifier);
    return fault;
}

const char *ticket_name(apr_pool_t *pool, const char *prefix, text_t state)
{
    const text_t parts[] = {TEXT("ticket name"), state, {NULL, 0}};
    unsigned char digest[DIGEST_LEN];
    if (!digest_parts(parts, digest))
        return NULL;
    text_t hash = codec_base64url(pool, (text_t){(const char *)digest, sizeof digest});
    return apr_pstrcat(pool, prefix, apr_pstrndup(pool, hash.at, NAME_CHARS), NULL);
}

/* Raw bytes of one of the three, which always decode since they were drawn or read here. */
static bool put_drawn(apr_pool_t *pool, char **end, text_t drawn)
{
    text_t raw;
    if (!codec_unbase64url(pool, drawn, &raw) || raw.len != DRAWN_BYTES)
        return false;
    memcpy(*end, raw.at, raw.len);
    *end += raw.len;
    return true;
}

static bool write_ticket(apr_pool_t *pool, const ticket_t *ticket, text_t *plain)
{
    size_t len = HEAD_LEN + ticket->redirect_uri.len + ticket->return_to.len;
    char *room = (char *)secret_room(pool, len);
    char *end = room;
    *end++ = TICKET_VERSION;
    for (int shift = 56; shift >= 0; shift -= 8)
        *end++ = (char)((uint64_t)ticket->born >> shift & 0xff);
    if (!put_drawn(pool, &end, ticket->state) || !put_drawn(pool, &end, ticket->nonce) ||
        !put_drawn(pool, &end, ticket->verifier))
        return false;
    *end++ = (char)(ticket->redirect_uri.len >> 8 & 0xff);
    *end++ = (char)(ticket->redirect_uri.len & 0xff);
    memcpy(end, ticket->redirect_uri.at, ticket->redirect_uri.len);
    if (ticket->return_to.len > 0)
        memcpy(end + ticket->redirect_uri.len, ticket->return_to.at, ticket->return_to.len);
    *plain = (text_t){room, len};
    return true;
}

const fault_t *ticket_seal(apr_pool_t *pool, const ticket_desk *desk, const ticket_t *ticket, text_t *cookie)
{
    unsigned char fresh[SEAL_FRESH_LEN];
    const seal_scope scope = {label_ticket, desk->space, {NULL, 0}, fresh};
    text_t plain, sealed;
    if (!desk->random->fill(desk->random, fresh, sizeof fresh))
        return fault_make(pool, FAULT_INTERNAL, "no random numbers");
    if (!write_ticket(pool, ticket, &plain))
        return fault_make(pool, FAULT_INTERNAL, "the ticket cannot be written");
    const fault_t *fault = seal_close(pool, desk->ring, &scope, plain, &sealed);
    if (fault == NULL)
        *cookie = codec_base64url(pool, sealed);
    return fault;
}

static text_t take_drawn(apr_pool_t *pool, const char **at)
{
    text_t drawn = secret_copy(pool, codec_base64url(pool, (text_t){*at, DRAWN_BYTES}));
    *at += DRAWN_BYTES;
    return drawn;
}

static bool read_ticket(apr_pool_t *pool, text_t plain, ticket_t *ticket)
{
    const char *at = plain.at;
    uint64_t born = 0;
    if (plain.len < HEAD_LEN || *at++ != TICKET_VERSION)
        return false;
    for (int i = 0; i < 8; i++)
        born = born << 8 | (unsigned char)*at++;
    ticket->born = (int64_t)born;
    ticket->state = take_drawn(pool, &at);
    ticket->nonce = take_drawn(pool, &at);
    ticket->verifier = take_drawn(pool, &at);
    size_t redirect_len = (size_t)(unsigned char)at[0] << 8 | (unsigned char)at[1];
    at += 2;
    if (plain.len - HEAD_LEN < redirect_len)
        return false;
    ticket->redirect_uri = (text_t){at, redirect_len};
    ticket->return_to = (text_t){at + redirect_len, plain.len - HEAD_LEN - redirect_len};
    return true;
}

const fault_t *ticket_open(apr_pool_t *pool, const ticket_desk *desk, text_t cookie, int64_t now,
                           ticket_t *ticket)
{
    const seal_scope scope = {label_ticket, desk->space, {NULL, 0}, NULL};
    text_t sealed, plain;
    if (cookie.len > COOKIE_MAX || !codec_unbase64url(pool, cookie, &sealed) ||
        seal_open(pool, desk->ring, &scope, sealed, &plain) != NULL || !read_ticket(pool, plain, ticket))
        return fault_make(pool, FAULT_STATE_UNKNOWN, "the ticket cookie does not open");
    if (now - ticket->born > TICKET_LIFE || ticket->born - now > TICKET_LIFE)
        return fault_make(pool, FAULT_STATE_EXPIRED, "the login began %" APR_INT64_T_FMT " seconds ago",
                          (apr_int64_t)(now - ticket->born));
    return NULL;
}
