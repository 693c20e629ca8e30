{{/*
What is wrong with the values, in sentences that name them: what a schema cannot say, or would say badly. All
of it is told at once.
*/}}
{{- define "deployment-recorder.validate" -}}
{{- with include "deployment-recorder.problems" . | trim }}
{{- fail (printf "\n\n%s\n" .) }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problems" -}}
{{- include "deployment-recorder.problemsOfForm" . }}
{{- include "deployment-recorder.problemsOfConfig" . }}
{{- include "deployment-recorder.problemsOfDurations" . }}
{{- include "deployment-recorder.problemsOfNames" . }}
{{- include "deployment-recorder.problemsOfLedger" . }}
{{- include "deployment-recorder.problemsOfArguments" . }}
{{- include "deployment-recorder.problemsOfSignIn" . }}
{{- include "deployment-recorder.problemsOfOrganizations" . }}
{{- include "deployment-recorder.problemsOfRights" . }}
{{- include "deployment-recorder.problemsOfNetwork" . }}
{{- include "deployment-recorder.problemsOfMonitoring" . }}
{{- include "deployment-recorder.problemsOfAvailability" . }}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
replicaCount is {{ .Values.replicaCount }}, but leaderElection.enabled is false: only one may write, so more than one replica needs leader election.
{{- end }}
{{- end }}

{{/* Texts that are not of the form that they must have; empty ones are judged elsewhere. */}}
{{- define "deployment-recorder.problemsOfForm" -}}
{{- $config := .Values.config }}
{{- $auth := .Values.auth }}
{{- $name := list "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" "the name of an object has lower-case letters, digits, hyphens and dots" }}
{{- $label := list "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" "allowed are 1 to 63 lower-case letters, digits and hyphens, none at an end" }}
{{- $labelKey := list "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" "allowed is the key of a label, such as example.com/environment" }}
{{- $key := list "^[-._a-zA-Z0-9]{1,253}$" "a key of a Secret or ConfigMap has letters, digits, hyphens, dots and underscores" }}
{{- $tag := list "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$" "a tag has 1 to 128 letters, digits, dots, hyphens and underscores" }}
{{- $digest := list "^sha256:[0-9a-f]{64}$" "allowed is sha256: and 64 hexadecimal digits" }}
{{- $environment := list "^.{1,128}$" "the name of an environment has 1 to 128 characters" }}
{{- $id := list "^[A-Za-z0-9._-]{1,64}$" "allowed is the id of a GitHub App, such as 1234, or its client id" }}
{{- range list
  (list "config.org" $config.org (list "^[A-Za-z0-9][A-Za-z0-9-]{0,38}$" "the name of an organization has 1 to 39 letters, digits and hyphens"))
  (list "config.cluster" $config.cluster (list "^[A-Za-z0-9._-]{1,128}$" "the name of a cluster has 1 to 128 letters, digits, dots, hyphens and underscores"))
  (list "config.logicalEnvironment" $config.logicalEnvironment $environment)
  (list "config.physicalEnvironment" $config.physicalEnvironment $environment)
  (list "config.logicalEnvironmentLabel" $config.logicalEnvironmentLabel $labelKey)
  (list "config.physicalEnvironmentLabel" $config.physicalEnvironmentLabel $labelKey)
  (list "config.organizationLabel" $config.organizationLabel $labelKey)
  (list "config.namespace" $config.namespace $label)
  (list "config.apiVersion" $config.apiVersion (list "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" "allowed is a day such as 2022-11-28"))
  (list "config.baseUrl" (trim $config.baseUrl) (list "^(https?://)?([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?(/[^[:space:]@]*)?$" "allowed is a host or an address, such as api.github.com or https://api.octo.ghe.com"))
  (list "config.ledgerName" $config.ledgerName $label)
  (list "image.tag" .Values.image.tag $tag)
  (list "image.digest" .Values.image.digest $digest)
  (list "sandbox.image.tag" .Values.sandbox.image.tag $tag)
  (list "sandbox.image.digest" .Values.sandbox.image.digest $digest)
  (list "auth.existingSecret" $auth.existingSecret $name)
  (list "auth.apiTokenSecret" $auth.apiTokenSecret $name)
  (list "auth.githubApp.privateKeySecret" $auth.githubApp.privateKeySecret $name)
  (list "auth.githubApp.appId" (include "deployment-recorder.text" $auth.githubApp.appId) $id)
  (list "auth.githubApp.installId" (include "deployment-recorder.text" $auth.githubApp.installId) (list "^[0-9]{1,20}$" "allowed is a number: the last part of the address of the installation's page"))
  (list "auth.secretKeys.token" $auth.secretKeys.token $key)
  (list "auth.secretKeys.privateKey" $auth.secretKeys.privateKey $key)
  (list "auth.secretKeys.appId" $auth.secretKeys.appId $key)
  (list "auth.secretKeys.installationId" $auth.secretKeys.installationId $key)
  (list "caBundle.existingConfigMap" .Values.caBundle.existingConfigMap $name)
  (list "caBundle.existingSecret" .Values.caBundle.existingSecret $name)
  (list "caBundle.key" .Values.caBundle.key $key)
  (list "proxy.existingSecret" .Values.proxy.existingSecret $name)
  (list "serviceAccount.name" .Values.serviceAccount.name $name)
  (list "namespaceOverride" .Values.namespaceOverride $label)
  (list "nameOverride" .Values.nameOverride (list "^[a-z]([-a-z0-9]*[a-z0-9])?$" "allowed are lower-case letters, digits and hyphens, a letter at the beginning"))
  (list "fullnameOverride" .Values.fullnameOverride (list "^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$" "allowed are 1 to 50 lower-case letters, digits and hyphens, a letter at the beginning")) }}
{{- $form := index . 2 }}
{{- if and (index . 1) (not (regexMatch (index $form 0) (index . 1))) }}
{{- /* What was given may be a secret that was put into the wrong place. */}}
{{- $shown := regexMatch "^(auth|proxy|config.baseUrl)" (index . 0) | ternary "not of its form" (index . 1 | quote) }}
{{ index . 0 }} is {{ $shown }}: {{ index $form 1 }}.
{{- end }}
{{- end }}
{{- end }}

{{/* Durations, in the words and bounds of the program. */}}
{{- define "deployment-recorder.problemsOfDurations" -}}
{{- range list
  (list "interval" 5 86400 "5s to 24h")
  (list "idleAfter" 0 36000000 "0s to 10000h, or never")
  (list "massDecommissionHold" 0 86400 "0s to 24h")
  (list "timeout" 1 600 "1s to 10m") }}
{{- $given := index $.Values.config (index . 0) | toString | trim }}
{{- $may := or (not $given) (and (eq $given "never") (eq (index . 0) "idleAfter")) }}
{{- if not $may }}
{{- $seconds := include "deployment-recorder.seconds" $given | int64 }}
{{- $form := regexMatch "^([0-9]{1,9} ?(hours?|hrs?|h) ?)?([0-9]{1,9} ?(minutes?|mins?|m) ?)?([0-9]{1,9} ?(seconds?|secs?|s))?$" $given }}
{{- if not (and $form (ge $seconds (index . 1 | int64)) (le $seconds (index . 2 | int64))) }}
config.{{ index . 0 }} is {{ $given | quote }}: allowed is a duration such as 30s, 5m or 1h30m, {{ index . 3 }}.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What has a form of its own within `config`: the cluster, templates of names, and names of namespaces. */}}
{{- define "deployment-recorder.problemsOfNames" -}}
{{- if has .Values.config.cluster (list "." "..") }}
config.cluster is {{ .Values.config.cluster | quote }}, which is no name within an address.
{{- end }}
{{- $words := "[ ]*(namespace|workload|container|kind|deploymentName|containerName)[ ]*" }}
{{- $template := printf "^([^{}[:cntrl:]]|[{][{]%s[}][}]|[{]%s[}])+$" $words $words }}
{{- range $name := list "nameTemplate" "dnTemplate" }}
{{- $given := index $.Values.config $name }}
{{- if and $given (not (and (contains "{" $given) (regexMatch $template $given))) }}
config.{{ $name }} is {{ $given | quote }}: allowed is a text with placeholders, which are {namespace}, {workload}, {container} and {kind}; without one all records had the same name.
{{- end }}
{{- end }}
{{- range $name := list "namespaces" "excludeNamespaces" }}
{{- range include "deployment-recorder.commas" (index $.Values.config $name) | splitList "," }}
{{- $fits := or (contains "*" .) (le (len .) 63) }}
{{- if and . (not (and $fits (regexMatch "^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$" .))) }}
config.{{ $name }} has {{ . | quote }}: a namespace has 1 to 63 lower-case letters, digits and hyphens, none of these at an end, and * stands for any text.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfConfig" -}}
{{- $config := .Values.config }}
{{- if not (include "deployment-recorder.org" .) }}
config.org is missing: the GitHub organization that records belong to.
{{- end }}
{{- if not (include "deployment-recorder.cluster" .) }}
config.cluster is missing: the name of this cluster at GitHub.
{{- end }}
{{- if not (include "deployment-recorder.logicalEnvironment" .) }}
config.logicalEnvironment is missing: the logical environment, such as production.
{{- end }}
{{- if and $config.namespace (include "deployment-recorder.commas" $config.namespaces) }}
config.namespaces and config.namespace are both given: one is another name of the other, so leave config.namespace out.
{{- end }}
{{- if and $config.nameTemplate $config.dnTemplate }}
config.nameTemplate and config.dnTemplate are both given: one is another name of the other, so leave config.dnTemplate out.
{{- end }}
{{- if and $config.usePullSecrets (not $config.readImageLabels) }}
config.usePullSecrets is true, but config.readImageLabels is false: nothing would be read with them.
{{- end }}
{{- $known := (.Files.Get "files/watched.yaml" | fromYaml).kinds | keys | sortAlpha }}
{{- range include "deployment-recorder.kinds" . | fromYamlArray }}
{{- if not (has . $known) }}
config.kinds or config.addKinds has {{ . | quote }}, which is no kind: allowed are {{ join ", " $known }}.
{{- end }}
{{- end }}
{{- if and (hasPrefix "http://" (trim $config.baseUrl)) (not $config.allowHttp) (not .Values.sandbox.enabled) }}
config.baseUrl begins with http://, where the token can be read on the way: if that is meant, set config.allowHttp.
{{- end }}
{{- end }}

{{/* A ledger NAME has parts named NAME-0 to NAME-255: another ledger by such a name would be written over. */}}
{{- define "deployment-recorder.problemsOfLedger" -}}
{{- $ledger := include "deployment-recorder.ledger" . }}
{{- if regexMatch "-(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])$" $ledger }}
{{- $other := regexReplaceAll "-[0-9]+$" $ledger "" }}
{{- if .Values.config.ledgerName }}
config.ledgerName is {{ $ledger | quote }}: it would be a part of the ledger {{ $other | quote }}, whose parts are named {{ $other }}-0 to {{ $other }}-255. Take a name without such a number at its end.
{{- else }}
the name of the ledger, {{ $ledger | quote }} as the full name is, would be a part of the ledger {{ $other | quote }}, whose parts are named {{ $other }}-0 to {{ $other }}-255: set config.ledgerName to a name without such a number at its end.
{{- end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfSignIn" -}}
{{- $auth := .Values.auth }}
{{- $how := include "deployment-recorder.signIn" . }}
{{- $app := $auth.githubApp }}
{{- if and (not $how) (not .Values.config.dryRun) (not (include "deployment-recorder.signsInByHand" .)) }}
auth.existingSecret is missing: the name of a Secret with GitHub's token under the key "token", or with the private key of a GitHub App under the key "private-key" and its id in auth.githubApp.appId. (Without GitHub: config.dryRun logs what would be sent, sandbox.enabled sends it to a stand-in.)
{{- end }}
{{- if eq $how "app" }}
{{- if not (or $app.appId $auth.secretKeys.appId) }}
auth.githubApp.appId is missing: the id or client id of the GitHub App that the private key belongs to (or its key in auth.existingSecret, auth.secretKeys.appId).
{{- end }}
{{- if not (or $auth.existingSecret $app.privateKey $app.privateKeySecret) }}
auth.existingSecret is missing: the name of the Secret with the private key of the GitHub App under the key {{ $auth.secretKeys.privateKey | quote }}.
{{- end }}
{{- end }}
{{- if $auth.existingSecret }}
{{- $others := dict "auth.apiToken" $auth.apiToken "auth.apiTokenSecret" $auth.apiTokenSecret "auth.githubApp.privateKey" $app.privateKey "auth.githubApp.privateKeySecret" $app.privateKeySecret }}
{{- range $name, $value := $others }}
{{- if $value }}
auth.existingSecret and {{ $name }} are both given: leave out the one that is not meant.
{{- end }}
{{- end }}
{{- else }}
{{- range $key := list "appId" "installationId" }}
{{- if index $auth.secretKeys $key }}
auth.secretKeys.{{ $key }} is a key in auth.existingSecret, which is missing.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What stands of organizations: which images are whose, and who signs in there. */}}
{{- define "deployment-recorder.problemsOfOrganizations" -}}
{{- $organization := "^[A-Za-z0-9][A-Za-z0-9-]{0,38}$" }}
{{- range .Values.config.organizationMap }}
{{- $value := regexFind "[^=]*$" . | trim }}
{{- if or (not (regexMatch "^.*[^= ].*=[^=]*$" .)) (contains "\n" .) (not (or (contains "$" $value) (regexMatch $organization $value))) }}
config.organizationMap has {{ . | quote }}: allowed is REGEX=ORG on one line; the name of an organization has 1 to 39 letters, digits and hyphens.
{{- end }}
{{- end }}
{{- $known := dict }}
{{- range $name, $given := .Values.auth.organizations }}
{{- if not (regexMatch $organization $name) }}
auth.organizations has {{ $name | quote }}: the name of an organization has 1 to 39 letters, digits and hyphens.
{{- end }}
{{- if hasKey $known (lower $name) }}
auth.organizations has {{ $name | quote }} twice: letter case makes no other organization.
{{- end }}
{{- $_ := set $known (lower $name) true }}
{{- if and $given.existingSecret $given.apiToken }}
auth.organizations.{{ $name }} has existingSecret and apiToken: leave out the one that is not meant.
{{- else if not (or $given.existingSecret $given.apiToken) }}
auth.organizations.{{ $name }}.existingSecret is missing: the name of a Secret with GitHub's token for it under the key {{ $given.key | default "token" | quote }}.
{{- end }}
{{- if and $given.existingSecret (not (regexMatch "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" $given.existingSecret)) }}
auth.organizations.{{ $name }}.existingSecret is not of its form: the name of an object has lower-case letters, digits, hyphens and dots.
{{- end }}
{{- if and $given.key (not (regexMatch "^[-._a-zA-Z0-9]{1,253}$" $given.key)) }}
auth.organizations.{{ $name }}.key is not of its form: a key of a Secret or ConfigMap has letters, digits, hyphens, dots and underscores.
{{- end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfRights" -}}
{{- if or .Values.rbac.ownerPresets .Values.rbac.owners }}
{{- $kinds := include "deployment-recorder.kinds" . | fromYamlArray }}
{{- if not (or (has "others" $kinds) (has "jobs" $kinds)) }}
rbac.ownerPresets or rbac.owners is given, but config.kinds has neither others nor jobs: nothing of theirs would be read.
{{- end }}
{{- if not .Values.rbac.create }}
rbac.ownerPresets or rbac.owners is given, but rbac.create is false: whoever gives the rights gives these too.
{{- end }}
{{- end }}
{{- if .Values.rbac.namespaced }}
{{- $names := include "deployment-recorder.namespaces" . }}
{{- if not $names }}
rbac.namespaced is true, but config.namespaces is empty: name the namespaces that are looked at.
{{- end }}
{{- if contains "*" $names }}
rbac.namespaced is true, but config.namespaces has a *: which namespaces match can only be seen with rights in the whole cluster. Name each.
{{- end }}
{{- if include "deployment-recorder.commas" .Values.config.excludeNamespaces }}
rbac.namespaced is true, but config.excludeNamespaces is given: name in config.namespaces alone what is looked at.
{{- end }}
{{- if .Values.config.namespaceSelector }}
rbac.namespaced is true, but config.namespaceSelector is given: name in config.namespaces alone what is looked at.
{{- end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfNetwork" -}}
{{- range $name := list "httpProxy" "httpsProxy" }}
{{- if contains "@" (index $.Values.proxy $name) }}
proxy.{{ $name }} has a password, which everybody who may read the Deployment could see: put it into a Secret, proxy.existingSecret.
{{- end }}
{{- end }}
{{- if and .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret }}
caBundle.existingConfigMap and caBundle.existingSecret are both given: leave one out.
{{- end }}
{{- end }}
