# Types LINE and a tab into an interactive bash, and prints the line afterwards. zsh
# gives bash a terminal. FOLDER holds the script of bash as script.
zmodload zsh/zpty || exit 3
zpty shell bash --norc -i
zpty -w shell "PS1=; bind 'set enable-bracketed-paste off'; bind 'set completion-query-items 0'; bind 'set page-completions off'; source $FOLDER/script; bind -x '\"\\C-x\\C-l\": printf \"%s\\n\" \"\$READLINE_LINE\" > $FOLDER/line; exit'; echo RE\"\"ADY"
zpty -r -m shell out '*READY*'
zpty -n -w shell "$LINE"$'\t'$'\C-x\C-l'
while zpty -r shell out; do :; done
cat $FOLDER/line
