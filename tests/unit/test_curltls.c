/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The TLS side of backend/curlhttp.c, against servers with certificates made here. */

#include "unit.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "backend/curlhttp.h"
#include "wire.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define SECRET   "Basic c2VjcmV0"

static char keylog[] = "/tmp/sso-keylog-XXXXXX";

typedef struct identity {
    X509 *certificate;
    EVP_PKEY *key;
    const char *file; /* PEM of the certificate */
} identity;

static apr_status_t forget_identity(void *data)
{
    identity *one = data;
    (void)unlink(one->file);
    X509_free(one->certificate);
    EVP_PKEY_free(one->key);
    return APR_SUCCESS;
}

/* A self-signed certificate for the name, valid from now + `from` to now + `to` seconds. */
static identity *make_identity(apr_pool_t *pool, const char *name, long from, long to)
{
    identity *one = apr_pcalloc(pool, sizeof(*one));
    char path[] = "/tmp/sso-cert-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    one->key = EVP_EC_gen("P-256");
    one->certificate = X509_new();
    X509_set_version(one->certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(one->certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(one->certificate), from);
    X509_gmtime_adj(X509_getm_notAfter(one->certificate), to);
    X509_set_pubkey(one->certificate, one->key);
    X509_NAME *subject = X509_get_subject_name(one->certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(one->certificate, subject);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
    X509_add_ext(one->certificate, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(one->certificate, one->key, EVP_sha256()) > 0);
    assert_true(PEM_write_X509(file, one->certificate) == 1);
    fclose(file);
    one->file = text_copy(pool, text_of(path)).at;
    apr_pool_cleanup_register(pool, one, forget_identity, apr_pool_cleanup_null);
    return one;
}

static apr_status_t free_context(void *data)
{
    SSL_CTX_free(data);
    return APR_SUCCESS;
}

static SSL_CTX *make_context(apr_pool_t *pool, const identity *who, int most)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_true(SSL_CTX_use_certificate(context, who->certificate) == 1);
    assert_true(SSL_CTX_use_PrivateKey(context, who->key) == 1);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, most);
    apr_pool_cleanup_register(pool, context, free_context, apr_pool_cleanup_null);
    return context;
}

static wire_asked ask(apr_pool_t *pool, const char *ca_file, const char *url, int64_t deadline_ms)
{
    http_port *http = curlhttp_new(pool, &(curlhttp_settings){.ca_file = ca_file});
    return wire_ask(
        http, pool,
        (http_request){.url = url, .form = TEXT("a=b"), .authorization = SECRET, .deadline_ms = deadline_ms});
}

static atomic_int folders_trusted;

/* Stands in front of OpenSSL's function, for libcurl too. */
__attribute__((visibility("default"))) int X509_STORE_load_path(X509_STORE *store, const char *path)
{
    int (*real)(X509_STORE *, const char *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "X509_STORE_load_path");
    atomic_fetch_add(&folders_trusted, 1);
    return real(store, path);
}

/* libcurl may have been built with a folder of authorities that it trusts beside the file. */
static void a_ca_file_stands_alone(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    identity *who = make_identity(pool, "IP:127.0.0.1", -60, 3600);
    wire_server *server = wire_start(pool, wire_reply, make_context(pool, who, TLS1_3_VERSION));
    wire_play(server, wire_reply, TEXT(OK_REPLY));
    atomic_store(&folders_trusted, 0);
    assert_int_equal(ask(pool, who->file, wire_url(pool, server, "https://127.0.0.1", "/"), 5000).rc,
                     HTTP_ANSWERED);
    assert_int_equal(atomic_load(&folders_trusted), 0);
}

static void trusts_only_what_it_should(void **state)
{
    typedef enum { SYSTEM, ITS_OWN, ANOTHER, MISSING } authority;
    static const struct {
        const char *names;
        const char *origin;
        authority ca;
        long from;
        long to;
        int tls;
        http_rc rc;
        const char *why;
    } cases[] = {
        {"IP:127.0.0.1", "https://127.0.0.1", ITS_OWN, -60, 3600, TLS1_3_VERSION, HTTP_ANSWERED,
         "TLS 1.3, its own file"},
        {"DNS:localhost", "https://localhost", ITS_OWN, -60, 3600, TLS1_2_VERSION, HTTP_ANSWERED,
         "TLS 1.2, by name"},
        {"IP:127.0.0.1", "https://127.0.0.1", SYSTEM, -60, 3600, TLS1_3_VERSION, HTTP_UNTRUSTED,
         "nobody vouches for it"},
        {"IP:127.0.0.1", "https://127.0.0.1", SYSTEM, -60, 3600, TLS1_2_VERSION, HTTP_UNTRUSTED,
         "likewise with TLS 1.2"},
        {"IP:127.0.0.1", "https://127.0.0.1", ANOTHER, -60, 3600, TLS1_3_VERSION, HTTP_UNTRUSTED,
         "another one vouches"},
        {"IP:127.0.0.1", "https://127.0.0.1", MISSING, -60, 3600, TLS1_3_VERSION, HTTP_UNTRUSTED,
         "no such CA file"},
        {"DNS:other.example", "https://localhost", ITS_OWN, -60, 3600, TLS1_3_VERSION, HTTP_UNTRUSTED,
         "for another host"},
        {"DNS:localhost", "https://127.0.0.1", ITS_OWN, -60, 3600, TLS1_3_VERSION, HTTP_UNTRUSTED,
         "for the name only"},
        {"IP:127.0.0.1", "https://127.0.0.1", ITS_OWN, -7200, -3600, TLS1_3_VERSION, HTTP_UNTRUSTED, "over"},
        {"IP:127.0.0.1", "https://127.0.0.1", ITS_OWN, 3600, 7200, TLS1_3_VERSION, HTTP_UNTRUSTED,
         "not valid yet"},
        {"IP:127.0.0.1", "https://127.0.0.1", ITS_OWN, -60, 3600, TLS1_1_VERSION, HTTP_UNTRUSTED,
         "TLS 1.1 is too old"},
    };
    apr_pool_t *pool = unit_pool(state);
    identity *another = make_identity(pool, "DNS:another.example", -60, 3600);
    for (size_t i = 0; i < COUNT(cases); i++) {
        identity *who = make_identity(pool, cases[i].names, cases[i].from, cases[i].to);
        const char *const files[] = {NULL, who->file, another->file, "/nonexistent/ca.pem"};
        wire_server *server = wire_start(pool, wire_reply, make_context(pool, who, cases[i].tls));
        server->reply = TEXT(OK_REPLY);
        wire_asked one = ask(pool, files[cases[i].ca], wire_url(pool, server, cases[i].origin, "/"), 5000);
        wire_stop(server);
        if (one.rc != cases[i].rc)
            print_error("%s: answered %d, %s\n", cases[i].why, (int)one.rc,
                        one.problem == NULL ? "-" : one.problem);
        assert_case(one.rc == cases[i].rc, cases[i].why);
        if (one.rc == HTTP_ANSWERED) {
            assert_texts(one.answer.body, TEXT("ok"), cases[i].why);
        } else {
            assert_case(atomic_load(&server->bytes) == 0, "not a byte of the request was sent");
            assert_case(one.problem != NULL && strstr(one.problem, SECRET) == NULL,
                        "the problem tells no secret");
        }
    }
}

/* Accepts the connection and says nothing. */
static void mute(wire_peer *peer)
{
    while (!atomic_load(&peer->server->stop))
        wire_rest(10);
}

static void a_mute_server_was_not_reached(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    wire_server *server = wire_start(pool, mute, NULL);
    wire_asked one = ask(pool, NULL, wire_url(pool, server, "https://127.0.0.1", "/"), 300);
    assert_int_equal(one.rc, HTTP_UNREACHABLE);
    assert_true(one.took >= 290 && one.took < 4 * 300);
    one = ask(pool, NULL, wire_url(pool, server, "https://127.0.0.1", "/"), 60000);
    assert_int_equal(one.rc, HTTP_UNREACHABLE);
    assert_true(one.took >= 1900 && one.took < 6000); /* the ceiling for connecting, not the deadline */
}

static void plain_text_is_no_tls(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    wire_server *server = wire_start(pool, wire_silent, NULL);
    wire_asked one = ask(pool, NULL, wire_url(pool, server, "https://127.0.0.1", "/"), 300);
    assert_true(one.rc == HTTP_UNREACHABLE || one.rc == HTTP_UNTRUSTED);
    assert_false(wire_saw(server, SECRET));
}

/* Last: libcurl opens the file when it is initialised, and TLS calls were made before this. */
static void no_keys_are_logged(void **state)
{
    struct stat status;
    (void)state;
    assert_int_equal(stat(keylog, &status), 0);
    assert_int_equal(status.st_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(trusts_only_what_it_should),
        UNIT_TEST(a_ca_file_stands_alone),
        UNIT_TEST(a_mute_server_was_not_reached),
        UNIT_TEST(plain_text_is_no_tls),
        UNIT_TEST(no_keys_are_logged),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = mkstemp(keylog);
    if (fd < 0)
        return 1;
    close(fd);
    setenv("SSLKEYLOGFILE", keylog, 1);
    int failed = UNIT_MAIN(tests);
    (void)unlink(keylog);
    return failed;
}
