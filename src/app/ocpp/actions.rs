//! What each version of OCPP knows.

/// Versions of OCPP, a bit each.
pub type Versions = u8;

/// OCPP 1.6, with the security extensions of its white paper.
pub const V16: Versions = 1;
/// OCPP 2.0.1.
pub const V201: Versions = 2;
/// OCPP 2.1.
pub const V21: Versions = 4;

/// The version that one of our names of subprotocols stands for; `None` for those before, of which nothing is
/// known here.
pub fn version(subprotocol: &str) -> Option<Versions> {
    match subprotocol {
        "ocpp1.6" => Some(V16),
        "ocpp2.0.1" => Some(V201),
        "ocpp2.1" => Some(V21),
        _ => None,
    }
}

/// The name of the first of some versions.
pub fn name(versions: Versions) -> &'static str {
    match versions {
        _ if versions & V16 != 0 => "OCPP 1.6",
        _ if versions & V201 != 0 => "OCPP 2.0.1",
        _ => "OCPP 2.1",
    }
}

/// The versions that have this action.
pub fn of_action(action: &str) -> Versions {
    let at = ACTIONS.binary_search_by(|(name, _)| (*name).cmp(action));
    at.map_or(0, |at| ACTIONS[at].1)
}

/// The versions that have this error code.
pub fn of_error(code: &str) -> Versions {
    ERRORS.iter().find(|(name, _)| *name == code).map_or(0, |(_, versions)| *versions)
}

/// The codes of errors; that of occurrences is spelled in two ways, in implementations of all versions.
const ERRORS: &[(&str, Versions)] = &[
    ("FormatViolation", V201 | V21),
    ("FormationViolation", V16),
    ("GenericError", V16 | V201 | V21),
    ("InternalError", V16 | V201 | V21),
    ("MessageTypeNotSupported", V201 | V21),
    ("NotImplemented", V16 | V201 | V21),
    ("NotSupported", V16 | V201 | V21),
    ("OccurenceConstraintViolation", V16 | V201 | V21),
    ("OccurrenceConstraintViolation", V16 | V201 | V21),
    ("PropertyConstraintViolation", V16 | V201 | V21),
    ("ProtocolError", V16 | V201 | V21),
    ("RpcFrameworkError", V201 | V21),
    ("SecurityError", V16 | V201 | V21),
    ("TypeConstraintViolation", V16 | V201 | V21),
];

/// The actions, in order.
const ACTIONS: &[(&str, Versions)] = &[
    ("AFRRSignal", V21),
    ("AdjustPeriodicEventStream", V21),
    ("Authorize", V16 | V201 | V21),
    ("BatterySwap", V21),
    ("BootNotification", V16 | V201 | V21),
    ("CancelReservation", V16 | V201 | V21),
    ("CertificateSigned", V16 | V201 | V21),
    ("ChangeAvailability", V16 | V201 | V21),
    ("ChangeConfiguration", V16),
    ("ChangeTransactionTariff", V21),
    ("ClearCache", V16 | V201 | V21),
    ("ClearChargingProfile", V16 | V201 | V21),
    ("ClearDERControl", V21),
    ("ClearDisplayMessage", V201 | V21),
    ("ClearTariffs", V21),
    ("ClearVariableMonitoring", V201 | V21),
    ("ClearedChargingLimit", V201 | V21),
    ("ClosePeriodicEventStream", V21),
    ("CostUpdated", V201 | V21),
    ("CustomerInformation", V201 | V21),
    ("DataTransfer", V16 | V201 | V21),
    ("DeleteCertificate", V16 | V201 | V21),
    ("DiagnosticsStatusNotification", V16),
    ("ExtendedTriggerMessage", V16),
    ("FirmwareStatusNotification", V16 | V201 | V21),
    ("Get15118EVCertificate", V201 | V21),
    ("GetBaseReport", V201 | V21),
    ("GetCertificateChainStatus", V21),
    ("GetCertificateStatus", V201 | V21),
    ("GetChargingProfiles", V201 | V21),
    ("GetCompositeSchedule", V16 | V201 | V21),
    ("GetConfiguration", V16),
    ("GetDERControl", V21),
    ("GetDiagnostics", V16),
    ("GetDisplayMessages", V201 | V21),
    ("GetInstalledCertificateIds", V16 | V201 | V21),
    ("GetLocalListVersion", V16 | V201 | V21),
    ("GetLog", V16 | V201 | V21),
    ("GetMonitoringReport", V201 | V21),
    ("GetPeriodicEventStream", V21),
    ("GetReport", V201 | V21),
    ("GetTariffs", V21),
    ("GetTransactionStatus", V201 | V21),
    ("GetVariables", V201 | V21),
    ("Heartbeat", V16 | V201 | V21),
    ("InstallCertificate", V16 | V201 | V21),
    ("LogStatusNotification", V16 | V201 | V21),
    ("MeterValues", V16 | V201 | V21),
    ("NotifyAllowedEnergyTransfer", V21),
    ("NotifyChargingLimit", V201 | V21),
    ("NotifyCustomerInformation", V201 | V21),
    ("NotifyDERAlarm", V21),
    ("NotifyDERStartStop", V21),
    ("NotifyDisplayMessages", V201 | V21),
    ("NotifyEVChargingNeeds", V201 | V21),
    ("NotifyEVChargingSchedule", V201 | V21),
    ("NotifyEvent", V201 | V21),
    ("NotifyMonitoringReport", V201 | V21),
    ("NotifyPeriodicEventStream", V21),
    ("NotifyPriorityCharging", V21),
    ("NotifyReport", V201 | V21),
    ("NotifySettlement", V21),
    ("NotifyWebPaymentStarted", V21),
    ("OpenPeriodicEventStream", V21),
    ("PublishFirmware", V201 | V21),
    ("PublishFirmwareStatusNotification", V201 | V21),
    ("PullDynamicScheduleUpdate", V21),
    ("RemoteStartTransaction", V16),
    ("RemoteStopTransaction", V16),
    ("ReportChargingProfiles", V201 | V21),
    ("ReportDERControl", V21),
    ("RequestBatterySwap", V21),
    ("RequestStartTransaction", V201 | V21),
    ("RequestStopTransaction", V201 | V21),
    ("ReservationStatusUpdate", V201 | V21),
    ("ReserveNow", V16 | V201 | V21),
    ("Reset", V16 | V201 | V21),
    ("SecurityEventNotification", V16 | V201 | V21),
    ("SendLocalList", V16 | V201 | V21),
    ("SetChargingProfile", V16 | V201 | V21),
    ("SetDERControl", V21),
    ("SetDefaultTariff", V21),
    ("SetDisplayMessage", V201 | V21),
    ("SetMonitoringBase", V201 | V21),
    ("SetMonitoringLevel", V201 | V21),
    ("SetNetworkProfile", V201 | V21),
    ("SetVariableMonitoring", V201 | V21),
    ("SetVariables", V201 | V21),
    ("SignCertificate", V16 | V201 | V21),
    ("SignedFirmwareStatusNotification", V16),
    ("SignedUpdateFirmware", V16),
    ("StartTransaction", V16),
    ("StatusNotification", V16 | V201 | V21),
    ("StopTransaction", V16),
    ("TransactionEvent", V201 | V21),
    ("TriggerMessage", V16 | V201 | V21),
    ("UnlockConnector", V16 | V201 | V21),
    ("UnpublishFirmware", V201 | V21),
    ("UpdateDynamicSchedule", V21),
    ("UpdateFirmware", V16 | V201 | V21),
    ("UsePriorityCharging", V21),
    ("VatNumberValidation", V21),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ACTIONS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(of_action("Heartbeat"), V16 | V201 | V21);
        assert_eq!((of_action("StartTransaction"), of_action("TransactionEvent")), (V16, V201 | V21));
        assert_eq!((of_action("Beat"), of_error("Oops")), (0, 0));
    }
}
