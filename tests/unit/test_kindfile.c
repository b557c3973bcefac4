/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Files that the configuration names: what may be read, and everything that only looks like a file. */

#include "kindtry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "flow/kindfile.h"

static const char *folder_of(apr_pool_t *pool)
{
    static const char pattern[] = "/tmp/kindfile-XXXXXX";
    char *folder = apr_palloc(pool, sizeof(pattern));
    memcpy(folder, pattern, sizeof(pattern));
    assert_non_null(mkdtemp(folder));
    return folder;
}

static text_t write_file(apr_pool_t *pool, const char *path, text_t content, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content.at, content.len), content.len);
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
    return text_copy(pool, text_of(path));
}

static void reads(void **state)
{
    static const struct {
        text_t written, read;
        const char *why;
    } cases[] = {
        {TEXT("secret"), TEXT("secret"), "no line end"},
        {TEXT("secret\n"), TEXT("secret"), "one line end"},
        {TEXT("secret\r\n"), TEXT("secret"), "one line end of another system"},
        {TEXT("secret\n\n"), TEXT("secret\n"), "only one of two"},
        {TEXT(" a\nb "), TEXT(" a\nb "), "blanks stay"},
        {TEXT("a\0b"), TEXT("a\0b"), "bytes stay"},
    };
    apr_pool_t *pool = unit_pool(state);
    const kind_input input = {pool, 0, NULL};
    const char *folder = folder_of(pool), *path = text_format(pool, "%s/file", folder).at;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t content = {NULL, 0};
        text_t name = write_file(pool, path, cases[i].written, 0600);
        try_right(kindfile_read(&input, name, i % 2 == 0, &content), cases[i].why);
        assert_texts(content, cases[i].read, cases[i].why);
        assert_case(content.at[content.len] == '\0', cases[i].why);
    }
    unlink(path);
    rmdir(folder);
}

static void looks_at_rights(void **state)
{
    static const struct {
        mode_t mode;
        bool secret, fine;
    } cases[] = {{0600, true, true},  {0400, true, true},  {0640, true, true},  {0644, true, false},
                 {0604, true, false}, {0602, true, false}, {0644, false, true}, {0666, false, true}};
    apr_pool_t *pool = unit_pool(state);
    const kind_input input = {pool, 0, NULL};
    const char *folder = folder_of(pool), *path = text_format(pool, "%s/file", folder).at;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t content;
        text_t name = write_file(pool, path, TEXT("hush-hush"), cases[i].mode);
        const char *wrong = kindfile_read(&input, name, cases[i].secret, &content);
        assert_case((wrong == NULL) == cases[i].fine, wrong == NULL ? "read" : wrong);
        if (wrong != NULL) {
            assert_non_null(strstr(wrong, "close it with chmod 600"));
            assert_null(strstr(wrong, "hush"));
        }
    }
    unlink(path);
    rmdir(folder);
}

static void bounds_size(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const kind_input input = {pool, 0, NULL};
    const char *folder = folder_of(pool), *path = text_format(pool, "%s/file", folder).at;
    char *bytes = apr_palloc(pool, KINDFILE_MAX + 1);
    memset(bytes, 'x', KINDFILE_MAX + 1);
    text_t content = {NULL, 0};
    text_t name = write_file(pool, path, (text_t){bytes, KINDFILE_MAX}, 0600);
    assert_null(kindfile_read(&input, name, true, &content));
    assert_int_equal(content.len, KINDFILE_MAX);
    name = write_file(pool, path, (text_t){bytes, KINDFILE_MAX + 1}, 0600);
    assert_non_null(strstr(kindfile_read(&input, name, true, &content), "larger than 64 kB"));
    name = write_file(pool, path, TEXT("\n"), 0600);
    assert_non_null(strstr(kindfile_read(&input, name, true, &content), "is empty"));
    unlink(path);
    rmdir(folder);
}

static void refuses_what_is_no_file(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *folder = folder_of(pool), *fifo = text_format(pool, "%s/fifo", folder).at;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const wrong_case cases[] = {
        {"keyfile", fifo, "is not a regular file", "name a file"},
        {"file", fifo, "is not a regular file", "no folder, pipe or device"},
        {"keyfile", folder, "is not a regular file", "name a file"},
        {"file", "/dev/null", "is not a regular file", "name a file"},
        {"file", "/nowhere/ca.pem", "cannot be read", "may read"},
        {"file", "ca.pem", "is not an absolute path", "begin it with a slash"},
        {"file", "", "there is no value", "write one"},
        {"keyfile", "/nowhere/key", "cannot be read", "name a file"},
        {"template", "/nowhere", "'/nowhere/page.html' cannot be read", "name a file"},
        {"template", "pages", "is not an absolute path", "begin it with a slash"},
        {"secret", text_format(pool, "file:%s", fifo).at, "is not a regular file", "name a file"},
    };
    try_wrong(pool, cases, COUNT(cases));
    unlink(fifo);
    rmdir(folder);
}

static void reads_templates_and_paths(void **state)
{
    static const text_t good = TEXT("<h1>{{title}}</h1>{{sentence}}{{link}}");
    apr_pool_t *pool = unit_pool(state);
    kind_template content = {NULL, 0};
    kind_file file = NULL;
    const char *folder = folder_of(pool), *path = text_format(pool, "%s/page.html", folder).at;
    write_file(pool, path, good, 0644);
    try_right(try_read(pool, "template", folder, &content), "a template");
    assert_texts(content, good, "its content");
    try_right(try_read(pool, "file", path, &file), "a file");
    assert_string_equal(file, path);
    write_file(pool, path, TEXT("{{title}}{{sentence}}{{link}}{{name}}"), 0644);
    assert_non_null(strstr(try_read(pool, "template", folder, &content), "unknown placeholder '{{name}}'"));
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reads),
        UNIT_TEST(looks_at_rights),
        UNIT_TEST(bounds_size),
        UNIT_TEST(refuses_what_is_no_file),
        UNIT_TEST(reads_templates_and_paths),
    };
    return UNIT_MAIN(tests);
}
