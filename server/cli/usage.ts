export const USAGE = `Usage: faultline COMMAND [ARGUMENT ...]

  review [FILE ... | -]   run patches, mails or mboxes in a simulated kernel, before and after
      --tree DIR          kernel tree (a folder or a linux-source-X.Y.tar.xz) that hunks are
                          applied to; by default this folder if it is one, else the archive
                          of the patch's version in /usr/src
      --no-tree           run only what the hunks show
      --git [RANGE]       changes of the clone in --tree or this folder instead of files: what is
                          not committed, or each commit of RANGE (A..B, or one commit)
      --staged            with --git: what is staged
      --arch LIST         architectures, by default all; arm64@6.19 is that of a later kernel
      --kernel VERSION    kernel version, inferred by default
      --policy NAME       what-if kernel, mainline by default
      --scenario LIST     scenarios, by default those that exercise what changes
      --format FORMAT     text, table, json, sarif, or reply: a mail body for the list
      --fail-on LEVEL     error (default), warning or never
      --explore STEPS     how long to look for harm in other orders of a scenario's tasks, in
                          scheduling steps; 0: only in the order of the run itself
      --seed N            of those orders that are drawn at random
      --jobs N            threads that look at other orders, by default up to one a CPU
      --explain FINDING   evidence of one finding: 1, RULE or RULE:LINE
  run SCENARIO ...        run scenarios without a patch; two policies are compared
      --arch, --kernel, --format, --explore (30000 by default), --seed and --jobs as above;
      --policy may be repeated
      --explain           each violation as a schedule, with the CPUs as columns
      --schedule S        the run in the order S instead, as violations name it: 37:2-52:1
  list WHAT               scenarios, hooks, policies, arch, abi, rules or metrics
      --kernel VERSION    of arch
      --format FORMAT     text or json
  explain NAME            a symbol, rule, metric, scenario, policy or architecture
      --kernel VERSION    its meaning in that version
  lsp --stdio             the language server

Scenarios in .faultline/*.scenario of the current folder join the built-in ones.

  --help  --version

Exit status: 0 nothing at or above --fail-on, 1 findings, 2 usage or unreadable input.
`;
