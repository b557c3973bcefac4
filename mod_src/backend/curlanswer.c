/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What libcurl hands over, line by line and chunk by chunk. It has ceilings of its own for one header line
 * but none for their number, undoes a "Transfer-Encoding: gzip" that nobody asked for, and knows no ceiling
 * for a body without a length; hence the three checks here. Each gives up at the first byte too many.
 * libcurl's own readers (CURLINFO_CONTENT_TYPE, CURLINFO_RETRY_AFTER) were rejected: the first lets control
 * bytes through and the second takes dates, which depend on the clocks of two hosts. */

#include "backend/curlanswer.h"

#include <string.h>

#include "base/secret.h"

#define BODY_ROOM_FIRST  4096
#define CONTENT_TYPE_MAX 256
#define RETRY_AFTER_MAX  3600                  /* seconds */
#define RETRY_AFTER_READ ((int64_t)1000000000) /* a larger number is taken for nonsense */

void curlanswer_init(curlanswer_t *answer, apr_pool_t *scratch, size_t body_max)
{
    memset(answer, 0, sizeof *answer);
    answer->scratch = scratch;
    answer->body_max = body_max < HTTP_BODY_MAX ? body_max : HTTP_BODY_MAX;
    answer->content_type = "";
    answer->retry_after = -1;
}

static bool give_up(curlanswer_t *answer, http_rc how, const char *problem)
{
    answer->gave_up = how;
    answer->problem = problem;
    return false;
}

/* A status line begins a block and makes what an interim block said void. */
static void begin_block(curlanswer_t *answer, text_t line)
{
    text_t code = text_trim(text_from(line, text_find(line, ' ')));
    answer->in_block = true;
    answer->interim = text_starts(code, TEXT("1"));
    answer->content_type = "";
    answer->retry_after = -1;
}

static void read_retry_after(curlanswer_t *answer, text_t value)
{
    int64_t seconds = 0;
    if (text_number(value, RETRY_AFTER_READ, &seconds)) {
        answer->retry_after = seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
    }
}

static bool read_field(curlanswer_t *answer, text_t line)
{
    size_t colon = text_find(line, ':');
    text_t name = {line.at, colon};
    text_t value = text_trim(text_from(line, colon + 1));
    if (text_equal_nocase(name, TEXT("Content-Encoding")) && value.len > 0 &&
        !text_equal_nocase(value, TEXT("identity"))) {
        return give_up(answer, HTTP_BROKEN, "the answer has a content encoding, though none was asked for");
    }
    if (text_equal_nocase(name, TEXT("Transfer-Encoding")) && !text_equal_nocase(value, TEXT("chunked"))) {
        return give_up(answer, HTTP_BROKEN, "the answer has a transfer encoding other than chunked");
    }
    if (text_equal_nocase(name, TEXT("Content-Type")) && value.len <= CONTENT_TYPE_MAX &&
        text_is_printable(value)) {
        answer->content_type = text_copy(answer->scratch, value).at;
    }
    if (text_equal_nocase(name, TEXT("Retry-After"))) {
        read_retry_after(answer, value);
    }
    return true;
}

static bool read_line(curlanswer_t *answer, text_t line)
{
    if (++answer->header_lines > CURLANSWER_HEADER_LINES) {
        return give_up(answer, HTTP_TOO_LARGE, "the answer has too many header lines");
    }
    if (answer->ended) {
        return true;
    }
    while (line.len > 0 && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r')) {
        line.len--;
    }
    if (!answer->in_block) {
        begin_block(answer, line);
        return true;
    }
    if (line.len == 0) {
        answer->in_block = false;
        answer->ended = !answer->interim;
        return true;
    }
    return read_field(answer, line);
}

size_t curlanswer_header(char *at, size_t size, size_t count, void *answer)
{
    curlanswer_t *one = answer;
    size_t len = size * count;
    if (len > CURLANSWER_HEADER_BYTES - one->header_bytes) {
        (void)give_up(one, HTTP_TOO_LARGE, "the answer's headers are too large");
        return 0;
    }
    one->header_bytes += len;
    return read_line(one, (text_t){at, len}) ? len : 0;
}

/* Doubling, each time into fresh wiped room: realloc would leave copies behind. */
static void grow_body(curlanswer_t *answer, size_t len)
{
    size_t room = answer->body_room > 0 ? answer->body_room : BODY_ROOM_FIRST;
    while (room < len) {
        room *= 2;
    }
    char *grown = (char *)secret_room(answer->scratch, room);
    if (answer->body_len > 0) {
        memcpy(grown, answer->body, answer->body_len);
    }
    answer->body = grown;
    answer->body_room = room;
}

size_t curlanswer_body(char *at, size_t size, size_t count, void *answer)
{
    curlanswer_t *one = answer;
    size_t len = size * count;
    if (len > one->body_max - one->body_len) {
        (void)give_up(one, HTTP_TOO_LARGE, "the answer's body is too large");
        return 0;
    }
    if (one->body_len + len > one->body_room) {
        grow_body(one, one->body_len + len);
    }
    if (len > 0) {
        memcpy(one->body + one->body_len, at, len);
    }
    one->body_len += len;
    return len;
}
