/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The store's address: what is read, and that everything else is refused with a sentence that helps. */

#include "unit.h"

#include "backend/storeurl.h"

typedef struct good_case {
    const char *text;
    store_scheme scheme;
    const char *servers; /* "host:port," each */
    int64_t timeout_ms;
    const char *path;
    int64_t size; /* in MiB */
    const char *why;
} good_case;

static const good_case good_cases[] = {
    {"memcached://127.0.0.1:11211", STOREURL_SERVERS, "127.0.0.1:11211,", 250, NULL, 256, "the usual one"},
    {"memcached://cache", STOREURL_SERVERS, "cache:11211,", 250, NULL, 256, "default port"},
    {"memcached://Cache.Example:1", STOREURL_SERVERS, "cache.example:1,", 250, NULL, 256,
     "names have no case"},
    {"memcached://a_b-c.d0:65535", STOREURL_SERVERS, "a_b-c.d0:65535,", 250, NULL, 256, "highest port"},
    {"memcached://a,b:2,c", STOREURL_SERVERS, "a:11211,b:2,c:11211,", 250, NULL, 256, "a list"},
    {"memcached://a:1,a:2", STOREURL_SERVERS, "a:1,a:2,", 250, NULL, 256, "two on one host"},
    {"memcached://[::1]:7,[2001:db8::1]", STOREURL_SERVERS, "::1:7,2001:db8::1:11211,", 250, NULL, 256,
     "IPv6"},
    {"memcached://a?timeout=10ms", STOREURL_SERVERS, "a:11211,", 10, NULL, 256, "shortest"},
    {"memcached://a?timeout=5s", STOREURL_SERVERS, "a:11211,", 5000, NULL, 256, "longest"},
    {"memcached://a?timeout=5000ms", STOREURL_SERVERS, "a:11211,", 5000, NULL, 256,
     "longest in milliseconds"},
    {"memcached:///run/mc.sock", STOREURL_SOCKET, "", 250, "/run/mc.sock", 256, "unix socket"},
    {"memcached:///run/mc.sock?timeout=1s", STOREURL_SOCKET, "", 1000, "/run/mc.sock", 256,
     "unix socket with timeout"},
    {"lmdb:", STOREURL_LMDB, "", 250, NULL, 256, "the caller's place"},
    {"lmdb:?size=1m", STOREURL_LMDB, "", 250, NULL, 1, "smallest"},
    {"lmdb:/var/lib/sso/s.lmdb", STOREURL_LMDB, "", 250, "/var/lib/sso/s.lmdb", 256, "a path"},
    {"lmdb:/s?size=64g", STOREURL_LMDB, "", 250, "/s", 65536, "largest"},
    {"lmdb:/s?size=65536m", STOREURL_LMDB, "", 250, "/s", 65536, "largest in megabytes"},
};

static void reads_what_is_right(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(good_cases); i++) {
        const good_case *row = &good_cases[i];
        store_url url;
        text_t servers = TEXT("");
        const char *problem = storeurl_read(pool, unit_flush(pool, text_of(row->text)), &url);
        if (problem)
            print_error("%s\n", problem);
        assert_case(problem == NULL, row->text);
        for (int j = 0; j < url.server_count; j++)
            servers = text_format(pool, "%s%s:%d,", servers.at, url.servers[j].host, url.servers[j].port);
        assert_case(url.scheme == row->scheme, row->why);
        assert_texts(servers, text_of(row->servers), row->why);
        assert_case(url.timeout_ms == row->timeout_ms, row->why);
        assert_texts(text_of(url.path ? url.path : "-"), text_of(row->path ? row->path : "-"), row->why);
        assert_case(url.size == row->size * 1024 * 1024, row->why);
    }
}

typedef struct bad_case {
    const char *text;
    const char *says; /* a part of the sentence */
} bad_case;

static const bad_case bad_cases[] = {
    {"", "is not a store"},
    {"redis://a", "memcached://host:port"},
    {"memcached:a:1", "is not a store"},
    {"MEMCACHED://a", "is not a store"},
    {"memcached://", "names no server"},
    {"memcached://?timeout=1s", "names no server"},
    {"memcached://a,", "'' is not a server"},
    {"memcached://,a", "'' is not a server"},
    {"memcached://a b", "is not a server"},
    {"memcached://user@a", "is not a server"},
    {"memcached://a/b", "is not a server"},
    {"memcached://-a", "is not a server"},
    {"memcached://a-", "is not a server"},
    {"memcached://a..b", "is not a server"},
    {"memcached://a.", "is not a server"},
    {"memcached://b\xc3\xbc", "b\\xc3\\xbc"},
    {"memcached://127.1", "is not a server"},
    {"memcached://256.0.0.1", "is not a server"},
    {"memcached://a.0x7f", "is not a server"},
    {"memcached://::1", "is not a server"},
    {"memcached://[::1", "is not a server"},
    {"memcached://[::1]x", "is not a server"},
    {"memcached://[a]:1", "is not a server"},
    {"memcached://a:", "port ''"},
    {"memcached://a:0", "between 1 and 65535"},
    {"memcached://a:65536", "between 1 and 65535"},
    {"memcached://a:-1", "between 1 and 65535"},
    {"memcached://a:11211x", "between 1 and 65535"},
    {"memcached://a:1:2", "between 1 and 65535"},
    {"memcached://a,b,A:11211", "listed twice"},
    {"memcached://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "more than 16"},
    {"memcached://a?timeout=9ms", "between 10ms and 5s"},
    {"memcached://a?timeout=6s", "between 10ms and 5s"},
    {"memcached://a?timeout=5001ms", "between 10ms and 5s"},
    {"memcached://a?timeout=250", "such as timeout=250ms"},
    {"memcached://a?timeout=ms", "between 10ms and 5s"},
    {"memcached://a?timeout=", "between 10ms and 5s"},
    {"memcached://a?timeout=99999999999999999999ms", "between 10ms and 5s"},
    {"memcached://a?timeout", "there is only timeout="},
    {"memcached://a?", "there is only timeout="},
    {"memcached://a?size=1m", "there is only timeout="},
    {"memcached://a?timeout=1s&timeout=2s", "more than one parameter"},
    {"memcached:///", "does not name a file"},
    {"memcached:///run/", "does not name a file"},
    {"memcached:///a\nb", "no file name"},
    {"lmdb:relative", "absolute path"},
    {"lmdb://host/x", "absolute path"},
    {"lmdb:/", "does not name a file"},
    {"lmdb:/x?size=0m", "between 1m and 64g"},
    {"lmdb:/x?size=65g", "between 1m and 64g"},
    {"lmdb:/x?size=1048576", "such as size=256m"},
    {"lmdb:/x?size=1k", "between 1m and 64g"},
    {"lmdb:/x?timeout=1s", "there is only size="},
};

static void refuses_the_rest(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(bad_cases); i++) {
        store_url url;
        const char *problem = storeurl_read(pool, unit_flush(pool, text_of(bad_cases[i].text)), &url);
        assert_case(problem != NULL, bad_cases[i].text);
        if (strstr(problem, bad_cases[i].says) == NULL)
            print_error("got: %s\n", problem);
        assert_case(strstr(problem, bad_cases[i].says) != NULL, bad_cases[i].text);
        assert_case(text_is_printable(text_of(problem)), bad_cases[i].text);
    }
}

static void refuses_nul_and_length(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    store_url url;
    text_t longest = text_format(pool, "memcached:///%0106d", 1);
    assert_null(storeurl_read(pool, longest, &url));
    assert_non_null(storeurl_read(pool, text_format(pool, "memcached:///%0107d", 1), &url));
    assert_non_null(storeurl_read(pool, text_format(pool, "memcached://%064d", 1), &url));
    assert_non_null(storeurl_read(pool, text_format(pool, "memcached://x%0300d", 1), &url));
    assert_non_null(storeurl_read(pool, TEXT("memcached://a\0b"), &url));
    assert_non_null(storeurl_read(pool, TEXT("memcached:///a\0b"), &url));
    assert_non_null(storeurl_read(pool, TEXT("lmdb:/a\0b"), &url));
    assert_non_null(storeurl_read(pool, TEXT("memcached://a?timeout=1s\0"), &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reads_what_is_right),
        UNIT_TEST(refuses_the_rest),
        UNIT_TEST(refuses_nul_and_length),
    };
    return UNIT_MAIN(tests);
}
