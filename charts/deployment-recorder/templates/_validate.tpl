{{/*
What is wrong with the values, in sentences that name them: what a schema cannot say, or would say badly. All
of it is told at once.
*/}}
{{- define "deployment-recorder.validate" -}}
{{- $problems := include "deployment-recorder.problems" . | trim }}
{{- if $problems }}
{{- fail (printf "\n\n%s\n" $problems) }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problems" -}}
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
{{- end }}
