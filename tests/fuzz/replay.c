/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Replays a corpus without libFuzzer: compiled together with one fuzz target by any compiler, it feeds every
 * regular file of the directories given to the target, so that what fuzzing once found is tested in every
 * ordinary run. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)1024 * 1024) /* bytes of one file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    if (file == NULL || data == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    size_t size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    uint8_t *exact = malloc(size > 0 ? size : 1); /* a block of its own, so that a sanitizer sees its end */
    if (exact == NULL)
        exit(1);
    for (size_t i = 0; i < size; i++)
        exact[i] = data[i];
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int replay(const char *path, int depth);

static int replay_directory(const char *path, int depth)
{
    int count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(1);
    }
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char *file = NULL;
        if (asprintf(&file, "%s/%s", path, entry->d_name) < 0)
            exit(1);
        count += replay(file, depth + 1);
        free(file);
    }
    closedir(directory);
    return count;
}

/* Directories within directories are not entered. A path that is not there ends the run: a typing error must
 * not pass. */
static int replay(const char *path, int depth)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        fprintf(stderr, "cannot find %s\n", path);
        exit(1);
    }
    if (S_ISREG(about.st_mode))
        return replay_file(path);
    return S_ISDIR(about.st_mode) && depth == 0 ? replay_directory(path, depth) : 0;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i], 0);
    printf("%s: %d inputs replayed\n", argv[0], count);
    return count > 0 ? 0 : 1;
}
