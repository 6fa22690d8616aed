#!/bin/sh
# Creates the app registration that callers of the HTTP API sign in to, or updates
# it: the app roles, the identifier and the enterprise application. It can be run
# again. It assigns no role and creates no secret.
#
#   sh infra/hooks/app-registration.sh NAME
set -eu

name=${1:?usage: sh infra/hooks/app-registration.sh NAME}

# The ids of the roles never change, so that assignments outlive an update.
wanted='3f0d6a4e-6d0f-4c0e-9a55-0c1f4f1f7a01|Operations.Read|Read operations|Read operations, schedules, limits and rejected requests
3f0d6a4e-6d0f-4c0e-9a55-0c1f4f1f7a02|Operations.Start|Start operations|Start and change operations that neither restore nor delete
3f0d6a4e-6d0f-4c0e-9a55-0c1f4f1f7a03|Operations.Restore|Restore and delete|Start and change operations that restore data or delete backups
3f0d6a4e-6d0f-4c0e-9a55-0c1f4f1f7a04|Operations.Validate|Validate drills|Answer the validations of restore drills'
roles=[$(printf '%s\n' "$wanted" |
  sed 's/\(.*\)|\(.*\)|\(.*\)|\(.*\)/{"id": "\1", "value": "\2", "displayName": "\3", "description": "\4", "isEnabled": true, "allowedMemberTypes": ["User", "Application"]}/; $!s/$/,/')]

ids=$(az ad app list --filter "displayName eq '$name'" --query '[].appId' --output tsv)
case $(printf '%s\n' "$ids" | grep -c .) in
0) id=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv) ;;
1) id=$ids ;;
*)
  echo "several app registrations are named $name; choose another name" >&2
  exit 1
  ;;
esac

# A registration that has the roles and the identifier is left as it is.
has=$(az ad app show --id "$id" --query "appRoles[?isEnabled].join('|', [id, value, displayName, description])" --output tsv)
if [ "$(printf '%s\n' "$has" | sort)" != "$(printf '%s\n' "$wanted" | sort)" ]; then
  az ad app update --id "$id" --app-roles "$roles"
fi
if ! az ad app show --id "$id" --query identifierUris --output tsv | grep -qxF "api://$id"; then
  az ad app update --id "$id" --identifier-uris "api://$id"
fi
az ad sp show --id "$id" >/dev/null 2>&1 || az ad sp create --id "$id" >/dev/null
sp=$(az ad sp show --id "$id" --query id --output tsv)

echo "Application id: $id"
echo
echo "Turn on App Service authentication and the roles:"
echo "  azd env set AZBACKUPFLOW_AUTH_CLIENT_ID $id"
echo "  azd env set AZBACKUPFLOW_API_ROLES true"
echo "  azd provision"
echo
echo "Assign Operations.Start to the identity of a pipeline, by its object id:"
echo "  az rest --method post --url https://graph.microsoft.com/v1.0/servicePrincipals/$sp/appRoleAssignedTo \\"
echo "    --body '{\"principalId\": \"OBJECT_ID\", \"resourceId\": \"$sp\", \"appRoleId\": \"3f0d6a4e-6d0f-4c0e-9a55-0c1f4f1f7a02\"}'"
echo
echo "The appRoleId of each role:"
printf '%s\n' "$wanted" | sed 's/\(.*\)|\(.*\)|\(.*\)|\(.*\)/  \1  \2/'
