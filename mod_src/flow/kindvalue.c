/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Addresses, times and sizes. Units are part of a time because "60" has been seconds to some and minutes to
 * others; addresses go through base/url, so that what is accepted here leads to the same place for every
 * reader. Wildcards and expressions for targets were rejected: an unanchored one is an open redirector. */

#include "flow/kindvalue.h"

#include "flow/kindinput.h"

#define MINUTE       ((int64_t)60)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)
#define SECONDS_MAX  (400 * DAY)
#define BYTES_MIN    ((int64_t)1024)
#define BYTES_MAX    ((int64_t)64 * 1024 * 1024)
#define COUNT_MAX    1000
#define PERCENT_MAX  90
#define PATH_LEN_MAX ((size_t)200)

const char *kindvalue_address(const kind_input *input, text_t value, url_t *url)
{
    const char *shown = kindinput_shown(input, value);
    if (text_find(value, '*') < value.len)
        return kindinput_wrong(
            input, "'%s' has a wildcard; write each URL in full, they are compared exactly", shown);
    if (!url_read(input->pool, value, url))
        return kindinput_wrong(input, "'%s' is not an absolute URL; write one like https://host.example/path",
                               shown);
    if (!url->https && !url_is_loopback(url))
        return kindinput_wrong(input, "'%s' is not encrypted; write https:// (http:// is for loopback only)",
                               shown);
    if (url->fragment.at != NULL)
        return kindinput_wrong(input, "'%s' has a fragment; write it without what follows #", shown);
    return NULL;
}

const char *kindvalue_url(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    url_t url = {0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong == NULL)
        wrong = kindvalue_address(input, value, &url);
    if (wrong == NULL && url.query.at != NULL)
        wrong = kindinput_wrong(input, "'%s' has a query; write it without what follows ?",
                                kindinput_shown(input, value));
    if (wrong == NULL)
        *(kind_url *)field = kindinput_keep(input, value);
    return wrong;
}

const char *kindvalue_origin(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    url_t url = {0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    const char *shown = kindinput_shown(input, value);
    if (!url_read(input->pool, value, &url))
        return kindinput_wrong(
            input, "'%s' is not an origin; write scheme and host, such as https://www.example.com", shown);
    if (url.path.len > 1 || url.query.at != NULL || url.fragment.at != NULL || text_ends(value, TEXT("/")))
        return kindinput_wrong(input,
                               "'%s' is more than an origin; write only scheme, host and port, such as %s",
                               shown, url_origin(input->pool, &url).at);
    *(kind_origin *)field = kindinput_keep(input, url_origin(input->pool, &url));
    return NULL;
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static bool is_segment(text_t segment)
{
    for (size_t i = 0; i < segment.len; i++)
        if (!is_unreserved(segment.at[i]))
            return false;
    return segment.len > 0 && !text_equal(segment, TEXT(".")) && !text_equal(segment, TEXT(".."));
}

const char *kindvalue_path(const kind_input *input, void *field)
{
    text_t value = {NULL, 0}, segment;
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    bool fits = value.at[0] == '/' && value.len <= PATH_LEN_MAX;
    text_t rest = text_from(value, 1);
    while (fits && text_cut(&rest, '/', &segment))
        fits = is_segment(segment);
    if (!fits)
        return kindinput_wrong(
            input,
            "'%s' is not a path of letters, digits, -, ., _ and ~ without a slash at its end; write one "
            "like /sso",
            kindinput_shown(input, value));
    *(kind_path *)field = kindinput_keep(input, value);
    return NULL;
}

const char *kindvalue_target_check(const kind_input *input, text_t value)
{
    url_t url;
    if (value.len == 0 || value.at[0] != '/')
        return kindvalue_address(input, value, &url);
    if (text_find(value, '*') < value.len)
        return kindvalue_address(input, value, &url);
    if (!url_is_local(value))
        return kindinput_wrong(
            input,
            "'%s' is not a path that stays on this site; write one like /goodbye, with one slash first",
            kindinput_shown(input, value));
    return NULL;
}

const char *kindvalue_target(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong == NULL)
        wrong = kindvalue_target_check(input, value);
    if (wrong == NULL)
        *(kind_target *)field = kindinput_keep(input, value);
    return wrong;
}

typedef struct unit {
    char letter; /* 0 ends the table */
    int64_t factor;
} unit;

/* The digits and the factor of the unit behind them; false without a known unit. */
static bool measure(text_t value, const unit *units, int64_t *number)
{
    for (; value.len > 1 && units->letter != '\0'; units++) {
        if (value.at[value.len - 1] != units->letter)
            continue;
        if (!text_number((text_t){value.at, value.len - 1}, INT64_MAX / units->factor, number))
            return false;
        *number *= units->factor;
        return true;
    }
    return false;
}

static const char *read_seconds(const kind_input *input, text_t value, int64_t *seconds)
{
    static const unit units[] = {{'s', 1}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'\0', 0}};
    int64_t number = 0;
    if (!measure(value, units, &number))
        return kindinput_wrong(input, "'%s' is not a time; write a number with s, m, h or d, such as 30m",
                               kindinput_shown(input, value));
    if (number < 1 || number > SECONDS_MAX)
        return kindinput_wrong(input, "'%s' is out of range; write a time from 1s to 400d",
                               kindinput_shown(input, value));
    *seconds = number;
    return NULL;
}

const char *kindvalue_seconds(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    return wrong != NULL ? wrong : read_seconds(input, value, field);
}

const char *kindvalue_span(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong == NULL && text_equal(value, TEXT("0"))) {
        *(kind_span *)field = 0;
        return NULL;
    }
    return wrong != NULL ? wrong : read_seconds(input, value, field);
}

const char *kindvalue_bytes(const kind_input *input, void *field)
{
    static const unit units[] = {{'k', 1024}, {'m', (int64_t)1024 * 1024}, {'\0', 0}};
    text_t value = {NULL, 0};
    int64_t number = 0;
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    if (!measure(value, units, &number) && !text_number(value, INT64_MAX, &number))
        return kindinput_wrong(input,
                               "'%s' is not a size; write a number, with k or m behind it, such as 64k",
                               kindinput_shown(input, value));
    if (number < BYTES_MIN || number > BYTES_MAX)
        return kindinput_wrong(input, "'%s' is out of range; write a size from 1k to 64m",
                               kindinput_shown(input, value));
    *(kind_bytes *)field = number;
    return NULL;
}

const char *kindvalue_count(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    int64_t number = 0;
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    if (!text_number(value, COUNT_MAX, &number) || number < 1)
        return kindinput_wrong(input, "'%s' is not a number from 1 to 1000; write one, such as 32",
                               kindinput_shown(input, value));
    *(kind_count *)field = number;
    return NULL;
}

const char *kindvalue_ahead(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    kind_ahead ahead = {-1, -1};
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    if (!text_ends(value, TEXT("%")))
        wrong = read_seconds(input, value, &ahead.seconds);
    else if (!text_number((text_t){value.at, value.len - 1}, PERCENT_MAX, &ahead.percent) ||
             ahead.percent < 1)
        wrong = kindinput_wrong(
            input, "'%s' is not a part of a lifetime; write a percentage from 1%% to 90%%, such as 20%%",
            kindinput_shown(input, value));
    if (wrong == NULL)
        *(kind_ahead *)field = ahead;
    return wrong;
}
