{{/*
Who signs in at GitHub: from `auth` to files in the pod. Nothing secret leaves a Secret: the pod names it, and
the program reads it again when it changes.
*/}}

{{/* Where the files are. */}}
{{- define "deployment-recorder.authFolder" -}}
/var/run/secrets/github
{{- end }}

{{/*
How it signs in: "app", "token", "sandbox" (any token will do there) or nothing. The sandbox never gets a token
that is meant for GitHub. Of both, as in github/deployment-tracker, the App is taken.
*/}}
{{- define "deployment-recorder.signIn" -}}
{{- $auth := .Values.auth }}
{{- $app := $auth.githubApp }}
{{- if .Values.sandbox.enabled -}}
sandbox
{{- else if or $app.appId $app.installId $app.privateKey $app.privateKeySecret $auth.secretKeys.appId $auth.secretKeys.installationId -}}
app
{{- else if or $auth.existingSecret $auth.apiToken $auth.apiTokenSecret -}}
token
{{- end }}
{{- end }}

{{/* The name of the Secret that the chart makes of `apiToken` or `githubApp.privateKey`. */}}
{{- define "deployment-recorder.ownSecret" -}}
{{ include "deployment-recorder.fullname" . }}-github
{{- end }}

{{/*
The Secret and the key in it that is mounted, as {secret, key, file}; nothing if there is none. Of a value and
a Secret's name the value is taken, as in github/deployment-tracker's chart.
*/}}
{{- define "deployment-recorder.secretFile" -}}
{{- $auth := .Values.auth }}
{{- $how := include "deployment-recorder.signIn" . }}
{{- $file := dict }}
{{- if eq $how "app" }}
{{- if $auth.existingSecret }}
{{- $file = dict "secret" $auth.existingSecret "key" $auth.secretKeys.privateKey }}
{{- else if $auth.githubApp.privateKey }}
{{- $file = dict "secret" (include "deployment-recorder.ownSecret" .) "key" "private-key" }}
{{- else }}
{{- $file = dict "secret" $auth.githubApp.privateKeySecret "key" "private-key" }}
{{- end }}
{{- $file = merge $file (dict "file" "private-key") }}
{{- else if eq $how "token" }}
{{- if $auth.existingSecret }}
{{- $file = dict "secret" $auth.existingSecret "key" $auth.secretKeys.token }}
{{- else if $auth.apiToken }}
{{- $file = dict "secret" (include "deployment-recorder.ownSecret" .) "key" "token" }}
{{- else }}
{{- $file = dict "secret" $auth.apiTokenSecret "key" "token" }}
{{- end }}
{{- $file = merge $file (dict "file" "token") }}
{{- end }}
{{- toYaml $file }}
{{- end }}

{{/* Where the files of the organizations are that have a token of their own. */}}
{{- define "deployment-recorder.organizationsFolder" -}}
{{ include "deployment-recorder.authFolder" . }}-organizations
{{- end }}

{{/*
The organizations that have a token of their own, as {organization: {secret, key}}. The sandbox gets none of them.
*/}}
{{- define "deployment-recorder.organizations" -}}
{{- $files := dict }}
{{- if not .Values.sandbox.enabled }}
{{- range $organization, $given := .Values.auth.organizations }}
{{- $file := dict "secret" ($given.existingSecret | default "") "key" ($given.key | default "token") }}
{{- if $given.apiToken }}
{{- $file = dict "secret" (include "deployment-recorder.ownSecret" $) "key" (printf "token-of-%s" $organization) }}
{{- end }}
{{- $_ := set $files $organization $file }}
{{- end }}
{{- end }}
{{- toYaml $files }}
{{- end }}

{{/* What `deployment-recorder.ownSecret` holds, as {key: text}; nothing where it is not needed. */}}
{{- define "deployment-recorder.ownSecretData" -}}
{{- $auth := .Values.auth }}
{{- $how := include "deployment-recorder.signIn" . }}
{{- if and (eq $how "app") $auth.githubApp.privateKey (not $auth.existingSecret) }}
private-key: {{ $auth.githubApp.privateKey | b64enc }}
{{- else if and (eq $how "token") $auth.apiToken (not $auth.existingSecret) }}
token: {{ $auth.apiToken | b64enc }}
{{- end }}
{{- range $organization, $file := include "deployment-recorder.organizations" . | fromYaml }}
{{- with (index $auth.organizations $organization).apiToken }}
{{ $file.key }}: {{ . | b64enc }}
{{- end }}
{{- end }}
{{- end }}

{{/* Arguments, as lists of name and value. Ids of an App are no secret: they may come from one all the same. */}}
{{- define "deployment-recorder.signInArgs" -}}
{{- $auth := .Values.auth }}
{{- $how := include "deployment-recorder.signIn" . }}
{{- $flags := list }}
{{- if eq $how "token" }}
{{- $flags = list (list "github-token-file" (printf "%s/token" (include "deployment-recorder.authFolder" .))) }}
{{- else if eq $how "app" }}
{{- $flags = list
  (list "github-app-id" (include "deployment-recorder.text" $auth.githubApp.appId))
  (list "github-app-installation-id" (include "deployment-recorder.text" $auth.githubApp.installId))
  (list "github-app-private-key-file" (printf "%s/private-key" (include "deployment-recorder.authFolder" .))) }}
{{- end }}
{{- $files := list }}
{{- range $organization, $_ := include "deployment-recorder.organizations" . | fromYaml }}
{{- $files = append $files (printf "%s=%s/%s" $organization (include "deployment-recorder.organizationsFolder" $) $organization) }}
{{- end }}
{{- $flags = append $flags (list "org-token-file" (join "\n" $files)) }}
{{- toYaml $flags }}
{{- end }}

{{/* Variables: the ids of an App that are in a Secret. */}}
{{- define "deployment-recorder.signInEnv" -}}
{{- $auth := .Values.auth }}
{{- $how := include "deployment-recorder.signIn" . }}
{{- $env := list }}
{{- if eq $how "sandbox" }}
{{- $env = append $env (dict "name" "GITHUB_TOKEN" "value" "any") }}
{{- else if eq $how "app" }}
{{- $ids := dict }}
{{- if and $auth.secretKeys.appId (not $auth.githubApp.appId) }}
{{- $_ := set $ids "DEPLOYMENT_RECORDER_GITHUB_APP_ID" $auth.secretKeys.appId }}
{{- end }}
{{- if and $auth.secretKeys.installationId (not $auth.githubApp.installId) }}
{{- $_ := set $ids "DEPLOYMENT_RECORDER_GITHUB_APP_INSTALLATION_ID" $auth.secretKeys.installationId }}
{{- end }}
{{- range $name, $key := $ids }}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "secretKeyRef" (dict "name" $auth.existingSecret "key" $key))) }}
{{- end }}
{{- end }}
{{- toYaml $env }}
{{- end }}
