/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Reading files when httpd starts. What is opened is looked at before and after: before, because opening a
 * FIFO would hang httpd; after, because the name may lead elsewhere by then. Nothing is read again later,
 * when the children have lost their rights. */

#include "flow/kindfile.h"

#include <apr_errno.h>
#include <apr_file_info.h>
#include <apr_file_io.h>

#include "base/secret.h"
#include "flow/kindinput.h"
#include "flow/page.h"

#define FILE_FACTS  (APR_FINFO_TYPE | APR_FINFO_SIZE | APR_FINFO_PROT)
#define FOR_OTHERS  (APR_FPROT_WREAD | APR_FPROT_WWRITE)
#define REASON_SIZE 120 /* bytes of the system's words for an error */

static const char *failed(const kind_input *input, text_t path, apr_status_t status)
{
    char reason[REASON_SIZE];
    return kindinput_wrong(input,
                           "'%s' cannot be read (%s); name a file that the user who starts httpd may read",
                           kindinput_shown(input, path), apr_strerror(status, reason, sizeof(reason)));
}

/* Opens a regular file at an absolute path, in the scope's pool. */
static const char *open_file(const kind_input *input, apr_pool_t *scope, text_t path, apr_file_t **file,
                             apr_finfo_t *facts)
{
    const char *name = text_string(scope, path);
    if (name == NULL || path.at[0] != '/')
        return kindinput_wrong(input, "'%s' is not an absolute path; begin it with a slash",
                               kindinput_shown(input, path));
    apr_status_t status = apr_stat(facts, name, FILE_FACTS, scope);
    if (status == APR_SUCCESS || status == APR_INCOMPLETE) {
        if (facts->filetype != APR_REG)
            return kindinput_wrong(input,
                                   "'%s' is not a regular file; name a file, no folder, pipe or device",
                                   kindinput_shown(input, path));
        status = apr_file_open(file, name, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, scope);
    }
    if (status == APR_SUCCESS)
        status = apr_file_info_get(facts, FILE_FACTS, *file);
    if (status != APR_SUCCESS)
        return failed(input, path, status);
    return facts->filetype == APR_REG ? NULL : failed(input, path, APR_EGENERAL);
}

static text_t without_line_end(text_t content)
{
    if (text_ends(content, TEXT("\n")))
        content.len--;
    if (text_ends(content, TEXT("\r")))
        content.len--;
    return content;
}

static const char *read_open(const kind_input *input, text_t path, apr_file_t *file, text_t *content)
{
    apr_size_t len = 0;
    /* One byte more, so that a file that has grown meanwhile is noticed. */
    unsigned char *room = secret_room(input->pool, KINDFILE_MAX + 1);
    apr_status_t status = apr_file_read_full(file, room, KINDFILE_MAX + 1, &len);
    if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status))
        return failed(input, path, status);
    if (len > KINDFILE_MAX)
        return kindinput_wrong(input, "'%s' is larger than 64 kB; name a smaller file",
                               kindinput_shown(input, path));
    *content = without_line_end((text_t){(const char *)room, len});
    if (content->len == 0)
        return kindinput_wrong(input, "'%s' is empty; put the value into it", kindinput_shown(input, path));
    return NULL;
}

static const char *read_file(const kind_input *input, text_t path, bool secret, text_t *content)
{
    apr_file_t *file = NULL;
    apr_finfo_t facts = {0};
    const char *wrong = open_file(input, input->pool, path, &file, &facts);
    if (wrong == NULL && secret && (facts.protection & FOR_OTHERS) != 0)
        wrong = kindinput_wrong(input, "'%s' is open to all users of this machine; close it with chmod 600",
                                kindinput_shown(input, path));
    if (wrong == NULL)
        wrong = read_open(input, path, file, content);
    if (file != NULL)
        apr_file_close(file);
    return wrong;
}

const char *kindfile_read(const kind_input *input, text_t path, bool secret, text_t *content)
{
    apr_pool_t *scope = NULL;
    if (apr_pool_create(&scope, input->pool) != APR_SUCCESS)
        return "there is no memory left; free some";
    kind_input inner = {scope, input->count, input->words};
    text_t found = {NULL, 0};
    const char *wrong = read_file(&inner, path, secret, &found);
    if (wrong != NULL)
        wrong = kindinput_keep(input, text_of(wrong));
    else
        *content = secret ? secret_copy(input->pool, found) : text_copy(input->pool, found);
    apr_pool_destroy(scope);
    return wrong;
}

const char *kindfile_file(const kind_input *input, void *field)
{
    text_t path = {NULL, 0};
    apr_file_t *file = NULL;
    apr_finfo_t facts = {0};
    const char *wrong = kindinput_one(input, &path);
    if (wrong == NULL)
        wrong = open_file(input, input->pool, path, &file, &facts);
    if (file != NULL)
        apr_file_close(file);
    if (wrong == NULL)
        *(kind_file *)field = kindinput_keep(input, path);
    return wrong;
}

const char *kindfile_template(const kind_input *input, void *field)
{
    text_t folder = {NULL, 0}, content = {NULL, 0};
    const char *wrong = kindinput_one(input, &folder);
    if (wrong != NULL)
        return wrong;
    text_t path = text_format(input->pool, "%s/page.html", folder.at);
    wrong = kindfile_read(input, path, false, &content);
    if (wrong == NULL)
        wrong = page_check(input->pool, content);
    if (wrong == NULL)
        *(kind_template *)field = content;
    return wrong;
}
