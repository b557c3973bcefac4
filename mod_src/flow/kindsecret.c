/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Secrets and where they come from. A program is started without a shell and gets ten seconds in all, counted
 * in reads and naps of 10 ms, because this room has no clock; httpd must not hang in `apachectl graceful`
 * because a key server does. The literal was not rejected: with a closed configuration file it is as good as
 * another file, and it is what people try first. */

#include "flow/kindsecret.h"

#include <apr_env.h>
#include <apr_errno.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <apr_time.h>

#include "base/secret.h"
#include "flow/kindfile.h"
#include "flow/kindinput.h"

#define STEP_MICROSECONDS ((apr_interval_time_t)10 * 1000)
#define STEPS             1000 /* 10 s in all */
#define REASON_SIZE       120  /* bytes of the system's words for an error */

/* A program that runs: its pool ends it. */
typedef struct program {
    apr_pool_t *scope;
    const char *name;
    apr_proc_t process;
    int steps; /* left */
} program;

static apr_status_t start(program *run, const char *const *arguments)
{
    apr_procattr_t *how = NULL;
    apr_file_t *nothing = NULL;
    apr_status_t status =
        apr_file_open(&nothing, "/dev/null", APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, run->scope);
    if (status == APR_SUCCESS)
        status = apr_procattr_create(&how, run->scope);
    if (status == APR_SUCCESS)
        status = apr_procattr_io_set(how, APR_NO_PIPE, APR_FULL_BLOCK, APR_NO_PIPE);
    if (status == APR_SUCCESS)
        status = apr_procattr_child_in_set(how, nothing, NULL);
    if (status == APR_SUCCESS)
        status = apr_procattr_cmdtype_set(how, APR_PROGRAM_ENV);
    if (status == APR_SUCCESS)
        status = apr_procattr_error_check_set(how, 1);
    if (status == APR_SUCCESS)
        status = apr_proc_create(&run->process, arguments[0], arguments, NULL, how, run->scope);
    if (status == APR_SUCCESS) {
        apr_pool_note_subprocess(run->scope, &run->process, APR_KILL_ALWAYS);
        status = apr_file_pipe_timeout_set(run->process.out, STEP_MICROSECONDS);
    }
    return status;
}

/* Reads until the program closes its output. APR_TIMEUP when its time is over, APR_ENOSPC when it writes too
 * much. */
static apr_status_t listen_to(program *run, unsigned char *room, size_t *len)
{
    for (; run->steps > 0; run->steps--) {
        apr_size_t got = KINDFILE_MAX - *len;
        if (got == 0)
            return APR_ENOSPC;
        apr_status_t status = apr_file_read(run->process.out, room + *len, &got);
        if (status == APR_SUCCESS)
            *len += got;
        else if (APR_STATUS_IS_EOF(status))
            return APR_SUCCESS;
        else if (!APR_STATUS_IS_TIMEUP(status))
            return status;
    }
    return APR_TIMEUP;
}

/* Waits for the end. APR_EGENERAL when it did not end with status 0. */
static apr_status_t wait_for(program *run)
{
    for (; run->steps > 0; run->steps--) {
        int code = 0;
        apr_exit_why_e why = APR_PROC_EXIT;
        if (apr_proc_wait(&run->process, &code, &why, APR_NOWAIT) != APR_CHILD_NOTDONE)
            return APR_PROC_CHECK_EXIT(why) && code == 0 ? APR_SUCCESS : APR_EGENERAL;
        apr_sleep(STEP_MICROSECONDS);
    }
    return APR_TIMEUP;
}

static const char *sentence(const kind_input *input, const program *run, apr_status_t status)
{
    const char *shown = kindinput_shown(input, text_of(run->name));
    char reason[REASON_SIZE];
    if (status == APR_TIMEUP)
        return kindinput_wrong(
            input, "'%s' did not end within 10 s; name a program that writes the secret and ends", shown);
    if (status == APR_ENOSPC)
        return kindinput_wrong(
            input, "'%s' writes more than 64 kB; name a program that writes the secret alone", shown);
    if (status == APR_EGENERAL)
        return kindinput_wrong(input, "'%s' did not end with status 0; run it by hand to see why", shown);
    return kindinput_wrong(input,
                           "'%s' cannot be run (%s); name a program that the user who starts httpd may run",
                           shown, apr_strerror(status, reason, sizeof(reason)));
}

static const char *run_program(const kind_input *input, apr_pool_t *scope, const char *const *arguments,
                               text_t *line)
{
    program run = {.scope = scope, .name = arguments[0], .steps = STEPS};
    unsigned char *room = secret_room(scope, KINDFILE_MAX);
    size_t len = 0;
    apr_status_t status = start(&run, arguments);
    if (status == APR_SUCCESS)
        status = listen_to(&run, room, &len);
    if (status == APR_SUCCESS)
        status = wait_for(&run);
    if (status != APR_SUCCESS)
        return sentence(input, &run, status);
    text_t written = {(const char *)room, len};
    *line = (text_t){written.at, text_find(written, '\n')};
    if (text_ends(*line, TEXT("\r")))
        line->len--;
    return NULL;
}

/* The command as a list of arguments: the first word cut as a shell would, then the other words as they are.
 */
static const char *const *arguments_of(const kind_input *input, apr_pool_t *scope)
{
    char **first = NULL;
    apr_array_header_t *all = apr_array_make(scope, 8, sizeof(const char *));
    if (apr_tokenize_to_argv(input->words[0] + strlen("exec:"), &first, scope) != APR_SUCCESS)
        return NULL;
    for (; *first != NULL; first++)
        APR_ARRAY_PUSH(all, const char *) = *first;
    for (size_t i = 1; i < input->count; i++)
        APR_ARRAY_PUSH(all, const char *) = input->words[i];
    APR_ARRAY_PUSH(all, const char *) = NULL;
    return (const char *const *)all->elts;
}

static const char *from_program(const kind_input *input, text_t *secret)
{
    apr_pool_t *scope = NULL;
    if (apr_pool_create(&scope, input->pool) != APR_SUCCESS)
        return "there is no memory left; free some";
    const char *const *arguments = arguments_of(input, scope);
    text_t line = {NULL, 0};
    const char *wrong = NULL;
    if (arguments == NULL || arguments[0] == NULL || arguments[0][0] != '/')
        wrong = "exec: does not name a program with its absolute path; write exec:/path/program";
    else
        wrong = run_program(input, scope, arguments, &line);
    if (wrong == NULL)
        *secret = secret_copy(input->pool, line);
    apr_pool_destroy(scope);
    return wrong;
}

static const char *from_environment(const kind_input *input, text_t name, text_t *secret)
{
    char *value = NULL;
    if (name.len == 0 || apr_env_get(&value, name.at, input->pool) != APR_SUCCESS)
        return kindinput_wrong(input, "there is no environment variable '%s'; set it where httpd is started",
                               kindinput_shown(input, name));
    *secret = secret_copy(input->pool, text_of(value));
    return NULL;
}

static const char *resolve(const kind_input *input, text_t value, text_t *secret)
{
    if (text_starts(value, TEXT("file:")))
        return kindfile_read(input, text_from(value, strlen("file:")), true, secret);
    if (text_starts(value, TEXT("env:")))
        return from_environment(input, text_from(value, strlen("env:")), secret);
    *secret = secret_copy(input->pool, value);
    return NULL;
}

const char *kindsecret_secret(const kind_input *input, void *field)
{
    text_t value = {NULL, 0}, secret = {NULL, 0};
    bool runs = input->count > 0 && text_starts(text_of(input->words[0]), TEXT("exec:"));
    const char *wrong = runs ? from_program(input, &secret) : kindinput_one(input, &value);
    if (wrong == NULL && !runs)
        wrong = resolve(input, value, &secret);
    if (wrong != NULL)
        return wrong;
    if (secret.len == 0)
        return "the secret is empty; put one there";
    if (text_has_control(secret) || !text_is_utf8(secret))
        return "the secret has a control byte or line end in it, or is not UTF-8; write it on one line";
    *(kind_secret *)field = secret;
    return NULL;
}

const char *kindsecret_keyfile(const kind_input *input, void *field)
{
    text_t path = {NULL, 0};
    const char *wrong = kindinput_one(input, &path);
    return wrong != NULL ? wrong : kindfile_read(input, path, true, field);
}
