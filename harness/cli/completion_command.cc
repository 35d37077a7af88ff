// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace hilcop {
namespace {

constexpr const char* kBash = R"sh(# hilcop's completion for bash: source <(hilcop completion bash)
_hilcop() {
  local cur=${COMP_WORDS[COMP_CWORD]} line
  [ "$cur" = = ] && cur=
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = :files ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
    else
      COMPREPLY+=("${line%%$'\t'*}")
    fi
  done < <("${COMP_WORDS[0]}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
}
complete -F _hilcop hilcop
)sh";

constexpr const char* kZsh = R"sh(#compdef hilcop
# hilcop's completion for zsh: source <(hilcop completion zsh), or keep this as _hilcop in a folder of $fpath
_hilcop() {
  local line files
  local -a found
  for line in "${(@f)$("${words[1]}" complete "${(@Q)words[2,CURRENT]}" 2>/dev/null </dev/null)}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( $#found )) && _describe hilcop found
  [[ -n $files ]] && _files
  return 0
}
if [[ $funcstack[1] == _hilcop ]]; then _hilcop "$@"; else compdef _hilcop hilcop; fi
)sh";

}  // namespace

void add_completion(CLI::App& app, int& status) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "print a script that completes hilcop's words in a shell");
  command->add_option("SHELL", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([shell, &status] {
    std::fputs(*shell == "bash" ? kBash : kZsh, stdout);
    status = 0;
  });
}

}  // namespace hilcop
