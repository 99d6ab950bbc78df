-- Argo CD has no check for its own kind; with this one `root` shows the worst of its Applications.
local health = (obj.status or {}).health
if health == nil or health.status == nil then
  return {status = "Progressing", message = "not looked at yet"}
end
return {status = health.status, message = health.message}
