# Prints the words that fish offers at the end of LINE. FOLDER holds the script of
# fish as script.
source $FOLDER/script
complete -C "$LINE" | string replace -r '\t.*' ''
true # string replace fails if no word has a description
