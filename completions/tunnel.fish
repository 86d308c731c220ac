# Completion of tunnel for fish. What is offered comes from the program.
function __tunnel_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command tunnel __complete fish $tokens[2..] (string unescape -- "$current"; or echo -- "$current") 2>/dev/null </dev/null)
    if test "$lines[1]" = files
        if string match -q -- '--*=*' "$current"
            set -l flag (string split -m1 = -- "$current")
            printf "$flag[1]=%s\n" (__fish_complete_path "$flag[2]" | string split -f1 \t)
        else
            __fish_complete_path "$current"
        end
    end
    printf '%s\n' $lines[2..]
end
complete -c tunnel -f -a '(__tunnel_complete)'
