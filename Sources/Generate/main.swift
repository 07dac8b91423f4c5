import Programs
GenerateCommand.start()
