-- Argo CD's own check, and four reasons more: with those it would wait for ever for what only a person can mend.
local verdicts = {
  UpToDate = "Healthy",
  UpdateFailed = "Degraded",
  DependencyNotFound = "Degraded",
  DependencyNotReady = "Suspended",
  DependencyInvalid = "Degraded",
  DeleteFailed = "Degraded",
  ManagementConflict = "Degraded",
  Unmanaged = "Degraded",
}

local result = {status = "Progressing", message = "Config Connector has not looked at it yet"}
local status = obj.status
if status == nil then
  return result
end

if obj.kind == "ConfigConnector" or obj.kind == "ConfigConnectorContext" then
  if status.healthy == true then
    return {status = "Healthy"}
  elseif status.healthy == false then
    return {status = "Degraded", message = table.concat(status.errors or {}, "; ")}
  end
  return result
end

if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  return result
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then
    local verdict = verdicts[condition.reason]
    if condition.reason == "UpToDate" and condition.status ~= "True" then
      verdict = nil
    end
    return {status = verdict or "Progressing", message = condition.message}
  end
end
return result
