/* findings.h — findings as the command line shows them, made here or told by a server. */
#ifndef FLOWLET_CLI_FINDINGS_H
#define FLOWLET_CLI_FINDINGS_H

#include "cli/cli.h"
#include "flow/finding.h"

/* Lines as compilers print them, to standard error; with json one document to standard output. */
void cli_print_findings(const struct findings *f, bool json);
/* The same of findings_json. */
void cli_print_findings_json(const json_t *findings);

#endif
