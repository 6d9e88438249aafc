/* main.c — runs the tests of threads under ThreadSanitizer, each in a process of its own. */
#include <criterion/criterion.h>
#include <fnmatch.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tsan_test *first;

void tsan_test_add(struct tsan_test *t) {
    t->next = first;
    first = t;
}

void tsan_test_failed(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: %s is not true\n", file, line, what);
    _exit(1);
}

static int run(const struct tsan_test *t) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (t->options.init)
            t->options.init();
        t->run();
        if (t->options.fini)
            t->options.fini();
        exit(0); /* with the sanitizer's status when it saw a race */
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        printf("FAILED %s\n", t->name);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *filter = argc == 3 && strcmp(argv[1], "--filter") == 0 ? argv[2] : "*";
    int count = 0, failed = 0;
    for (const struct tsan_test *t = first; t; t = t->next)
        if (fnmatch(filter, t->name, 0) == 0) {
            count++;
            failed += run(t);
        }
    printf("%d tests, %d failed\n", count, failed);
    return failed || !count;
}
