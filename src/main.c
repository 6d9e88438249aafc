/* main.c — the server, its command line and its workers are one program. */
#include "cli/cli.h"

int main(int argc, char **argv) { return cli_main(argc, argv); }
