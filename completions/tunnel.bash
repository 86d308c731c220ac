# Completion of tunnel for bash. What is offered comes from the program.
_tunnel() {
  local line files
  COMPREPLY=()
  {
    read -r files
    while IFS= read -r line; do COMPREPLY+=("$line"); done
  } < <(command tunnel __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)
  if [[ $files == files ]]; then
    compopt -o default 2>/dev/null
  elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=,] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _tunnel tunnel
