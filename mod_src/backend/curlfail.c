/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* One row a code, two columns: the same failure means another thing once the request may have been read. */

#include "backend/curlfail.h"

#include <errno.h>

#include "base/text.h"

#define PROBLEM_MAX 300 /* bytes */

/* What a failure means before the request was sent, and after. Codes that are not here: UNREACHABLE and
 * BROKEN. */
static const struct {
    CURLcode code;
    http_rc before;
    http_rc after;
} meanings[] = {
    {CURLE_SSL_CONNECT_ERROR, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_CACERT_BADFILE, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_CERTPROBLEM, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_CIPHER, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_ISSUER_ERROR, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_CRL_BADFILE, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_INVALIDCERTSTATUS, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_SSL_ENGINE_INITFAILED, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_USE_SSL_FAILED, HTTP_UNTRUSTED, HTTP_BROKEN},
    {CURLE_URL_MALFORMAT, HTTP_REFUSED, HTTP_BROKEN},
    {CURLE_UNSUPPORTED_PROTOCOL, HTTP_REFUSED, HTTP_BROKEN},
    {CURLE_ABORTED_BY_CALLBACK, HTTP_REFUSED, HTTP_BROKEN}, /* http:// to a peer that is not loopback */
    {CURLE_FILESIZE_EXCEEDED, HTTP_TOO_LARGE, HTTP_TOO_LARGE},
    {CURLE_OUT_OF_MEMORY, HTTP_UNREACHABLE,
     HTTP_TOO_LARGE}, /* libcurl's name for a header line without end */
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, HTTP_UNREACHABLE, HTTP_TOO_LARGE},
#endif
};

http_rc curlfail_meaning(CURLcode code, bool sent)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].code == code) {
            return sent ? meanings[i].after : meanings[i].before;
        }
    }
    return sent ? HTTP_BROKEN : HTTP_UNREACHABLE;
}

const char *curlfail_text(CURL *handle, CURLcode code, const char *error, apr_pool_t *pool)
{
    long os_errno = 0;
    const char *hint = "";
    const char *what = error[0] != '\0' ? error : curl_easy_strerror(code);
    (void)curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_COULDNT_CONNECT && (os_errno == EACCES || os_errno == EPERM)) {
        hint = " (permission denied by this host: a firewall, or SELinux without httpd_can_network_connect)";
    }
    return text_format(pool, "%s%s", text_loggable(pool, text_of(what), PROBLEM_MAX), hint).at;
}
