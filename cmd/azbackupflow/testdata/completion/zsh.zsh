# Types LINE and a tab into an interactive zsh, and prints the line afterwards.
# FOLDER holds the script of zsh as _azbackupflow.
zmodload zsh/zpty || exit 3
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($FOLDER \$fpath); autoload -Uz compinit; compinit -u -d $FOLDER/dump"
zpty -w shell 'type-tab() { zle complete-word; print -r -- "$BUFFER" > $FOLDER/line; exit }; zle -N type-tab; bindkey "^I" type-tab; LISTMAX=10000; echo RE""ADY'
zpty -r -m shell out '*READY*'
zpty -n -w shell "$LINE"$'\t'
while zpty -r shell out; do :; done
cat $FOLDER/line
