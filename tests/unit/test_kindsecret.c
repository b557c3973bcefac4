/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Secrets: where they come from, and that no sentence repeats one. */

#include "kindtry.h"

#include <sys/stat.h>

static void write_file(const char *path, const char *content, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static char folder[] = "/tmp/kindsecret-XXXXXX";

static const char *path_of(apr_pool_t *pool, const char *name)
{
    return text_format(pool, "%s/%s", folder, name).at;
}

static void expect(apr_pool_t *pool, const char *line, const char *secret)
{
    kind_secret value = {NULL, 0};
    try_right(try_read(pool, "secret", line, &value), line);
    assert_texts(value, text_of(secret), line);
}

static void reads(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_of(pool, "secret"), *program = path_of(pool, "program");
    write_file(path, "from file\n", 0600);
    write_file(program, "#!/bin/sh\necho \"got $1,$2,$3\"\necho second line\n", 0700);
    expect(pool, "literal", "literal");
    expect(pool, "with blanks \xc3\xa4", "with blanks \xc3\xa4");
    expect(pool, text_format(pool, "file:%s", path).at, "from file");
    assert_int_equal(setenv("KINDSECRET_TRY", "from environment", 1), 0);
    expect(pool, "env:KINDSECRET_TRY", "from environment");
    expect(pool, "exec:/bin/echo hello", "hello");
    expect(pool, text_format(pool, "exec:%s 'a b' c", program).at, "got a b,c,");
    expect(pool, text_format(pool, "exec:%s|a|b c", program).at, "got a,b c,");
    expect(pool, "exec:/usr/bin/printf x\\\\r\\\\n", "x");
    expect(pool, "exec:/bin/sh -c 'cat; echo end of input'", "end of input");
    expect(pool, "exec:/bin/sh -c 'for i in 1 2 3 4 5; do printf $i; sleep 0.05; done'", "12345");
    unlink(path);
    unlink(program);
}

static void reads_key_files(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_of(pool, "key");
    kind_keyfile value = {NULL, 0};
    write_file(path, "one\ntwo\n", 0600);
    try_right(try_read(pool, "keyfile", path, &value), "several lines");
    assert_text(value, "one\ntwo");
    write_file(path, "hush-hush", 0644);
    const char *wrong = try_read(pool, "keyfile", path, &value);
    assert_non_null(strstr(wrong, "chmod 600"));
    assert_null(strstr(wrong, "hush"));
    unlink(path);
}

static void refuses(void **state)
{
    static const wrong_case cases[] = {
        {"secret", "", "there is no value", "write one"},
        {"secret", "|", "there are 2 values", "write one"},
        {"secret", "hush\thush", "control byte", "one line"},
        {"secret", "hush\xff", "not UTF-8", "one line"},
        {"secret", "file:", "is not an absolute path", "begin it with a slash"},
        {"secret", "file:secret", "is not an absolute path", "begin it with a slash"},
        {"secret", "file:/nowhere/secret", "cannot be read", "may read"},
        {"secret", "env:", "no environment variable", "set it"},
        {"secret", "env:KINDSECRET_UNSET", "no environment variable 'KINDSECRET_UNSET'",
         "set it where httpd is started"},
        {"secret", "exec:", "does not name a program", "exec:/path/program"},
        {"secret", "exec:echo x", "does not name a program", "absolute path"},
        {"secret", "exec:/nowhere/program", "'/nowhere/program' cannot be run", "name a program"},
        {"secret", "exec:/etc/passwd", "cannot be run", "may run"},
        {"secret", "exec:/bin/sh -c 'echo hush-hush; exit 3'", "did not end with status 0", "by hand"},
        {"secret", "exec:/bin/sh -c 'kill -9 $$'", "did not end with status 0", "by hand"},
        {"secret", "exec:/bin/true", "the secret is empty", "put one there"},
        {"secret", "exec:/usr/bin/printf a\\\\tb", "control byte", "one line"},
        {"secret", "exec:/usr/bin/yes", "writes more than 64 kB", "the secret alone"},
    };
    apr_pool_t *pool = unit_pool(state);
    try_wrong(pool, cases, COUNT(cases));
    kind_secret value;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *wrong = try_read(pool, "secret", cases[i].line, &value);
        assert_case(wrong != NULL && strstr(wrong, "hush") == NULL, cases[i].line);
    }
    assert_null(strstr(try_read(pool, "secret", "hush|hush", &value), "hush"));
}

/* Also when it writes now and then, or lets go of its output first. */
static void ends_programs_that_hang(void **state)
{
    kind_secret value;
    apr_pool_t *pool = unit_pool(state);
    const char *wrong = try_read(pool, "secret", "exec:/bin/sh -c 'exec >&-; exec sleep 60'", &value);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "did not end within 10 s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(reads), UNIT_TEST(reads_key_files), UNIT_TEST(refuses),
                                       UNIT_TEST(ends_programs_that_hang)};
    if (mkdtemp(folder) == NULL)
        return 1;
    int failed = UNIT_MAIN(tests);
    rmdir(folder);
    return failed;
}
