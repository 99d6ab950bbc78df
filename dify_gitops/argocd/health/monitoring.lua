-- Managed Prometheus says no only where it refuses the configuration.
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.type == "ConfigurationCreateSuccess" and condition.status == "False" then
    return {status = "Degraded", message = condition.message}
  end
end
return {status = "Healthy"}
